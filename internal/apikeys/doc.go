// Package apikeys owns API keys: their format, their hashes, their scopes, the
// limits that they carry and the checker that answers from memory whether a key
// is valid. Whoever lets a key in or spends by it holds it to the limits.
//
// It must never print a key (Reveal is the one way out), never store one in
// clear (the checker and the database know hashes only) and never read a
// database while a request waits.
package apikeys
