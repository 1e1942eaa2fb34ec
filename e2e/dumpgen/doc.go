// Package dumpgen writes SQL dumps of the form that `wrangler d1 export` writes for
// the original backend's database, of any size, from a seed, and says what is in
// them. The same options make the same bytes, in memory that grows with the users
// but not with the ledger.
//
// It must never import a package of the server: what it knows of the original's
// schema and of its rows it knows from the original.
package dumpgen
