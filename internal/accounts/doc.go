// Package accounts owns what stands behind a user: the sessions of the Better
// Auth road, and the rows that a new user starts with.
//
// It must never store a session token (only its SHA-256), never answer that a
// session is over before that is on disk, and never touch money: wallets are
// made by the ledger's store, on the transaction that makes the user.
package accounts
