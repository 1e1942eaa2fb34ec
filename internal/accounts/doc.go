// Package accounts owns what stands behind a user: the sessions of every road, the
// rows that a new user starts with, and what is left to do for one who is deleted.
//
// It must never store a session token (only its SHA-256), never answer that a
// session is over before that is on disk, and never touch money: wallets are
// made by the ledger's store, on the transaction that makes the user.
package accounts
