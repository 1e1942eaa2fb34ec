// Package sqlitestore keeps the ledger in PocketBase's data.db.
//
// It writes through the one write connection that PocketBase itself uses, so
// that PocketBase's backups and saves and our batches take turns, and it reads
// through PocketBase's pool of readers. It owns the SQL of the money tables and
// must never call a PocketBase API, open a connection of its own, or decide
// anything about money: the rules are package ledger's.
package sqlitestore
