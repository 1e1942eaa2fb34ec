// Package ledgertest is what every store of the ledger must pass, and a clock
// that tests turn.
//
// It must never be imported by code that serves.
package ledgertest
