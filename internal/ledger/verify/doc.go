// Package verify proves the books. It reads the money tables of a SQLite file in
// one snapshot and names every row that breaks a rule: a chain, a sum, a
// reference. Checkpoints, which an operator keeps elsewhere, show what a file
// alone cannot: that its end was cut off, or its chains written anew.
//
// [File] reads everything, [Monitor] what is new, for a running server.
//
// The rules are written down here a second time and share nothing with the code
// that wrote the rows but the hash of an entry and the names of things. The
// package must never write to a database, leave a file beside one, hold a lock
// that a server could meet, or import PocketBase or HTTP. What it reads is not to
// be trusted: a row that cannot be read is a finding, not the end.
package verify
