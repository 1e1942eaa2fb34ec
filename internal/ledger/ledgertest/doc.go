// Package ledgertest is what every store of the ledger must pass, and what tests
// of the ledger share: the conformance suite, a store in memory that can be made
// to fail, a clock that tests turn, and an audit of the books.
//
// It must never be imported by code that serves.
package ledgertest
