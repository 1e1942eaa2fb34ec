// Package d1import brings the original backend's data over: it reads the SQL text
// that `wrangler d1 export` writes for a Cloudflare D1 database and writes users,
// passwords, sessions, wallets, the ledger and the logs into data.db.
//
// It works in two passes. The first reads the dump as a stream, statement by
// statement, into a staging file of its own; the second takes the rows from there
// in the order in which each finds what it refers to, and writes them in bounded
// transactions. Memory does not grow with the dump. Every row keeps its id and is
// written once, so that a second run goes on where the first was killed, and one
// after that finds nothing to do.
//
// A strange row is told in the Report, with its reason and its id, and never the
// end of an import, nor is it dropped in silence. The package must never write an
// entry, a balance or a roll-up by itself (the ledger's store does), overwrite what
// is in data.db already, run anything that the dump says, or keep the dump in
// memory.
package d1import
