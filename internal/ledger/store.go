package ledger

import (
	"context"
	"time"
)

// Store keeps wallets and entries. Exactly one writer uses it at a time; stores
// for other databases implement the same two small interfaces and pass the suite
// in ledgertest.
type Store interface {
	// Begin opens the one write transaction; it waits while another is open.
	Begin(ctx context.Context) (Tx, error)
	// Wallet reads the committed state of a wallet, outside any transaction.
	// The bool is false when there is no such wallet.
	Wallet(ctx context.Context, subject Subject) (Wallet, bool, error)
	// DueHolds and DueGrants list what is committed, open or live, and over at now:
	// at most limit rows after a position, in the order of deadlines.
	DueHolds(ctx context.Context, now time.Time, after DuePosition, limit int) ([]Due, error)
	DueGrants(ctx context.Context, now time.Time, after DuePosition, limit int) ([]Due, error)
}

// Due names a hold or a grant whose time is over.
type Due struct {
	Subject Subject
	DuePosition
}

// DuePosition is a place in the order of deadlines; the zero value is before all.
type DuePosition struct {
	ExpiresAt time.Time
	ID        string
}

// Tx is one write transaction. A Tx that was neither committed nor rolled back
// holds up every other writer.
type Tx interface {
	Wallet(subject Subject) (Wallet, bool, error)
	Request(key RequestKey) (StoredRequest, bool, error)
	Entry(id string) (Entry, bool, error)
	EntryByExternalEvent(externalEventID string) (Entry, bool, error)
	Usage(id string) (UsageRow, bool, error)
	Hold(id string) (HoldRow, bool, error)
	// KeySpending is what an API key has spent so far; the bool is false for a key
	// that never did.
	KeySpending(keyID string) (KeySpending, bool, error)
	// OpenHolds lists the open holds of a wallet.
	OpenHolds(subject Subject) ([]HoldRow, error)
	Grant(id string) (Grant, bool, error)
	// Grants lists a wallet's live grants with tokens left, soonest expiry first.
	Grants(subject Subject) ([]Grant, error)
	// GrantMoves sums, by grant, what a use and its refunds moved: negative is what
	// the use still has from it.
	GrantMoves(entryID string) (map[string]int64, error)
	// Refunded is the sum of all refunds of an entry, never negative, in tokens.
	Refunded(entryID string) (int64, error)
	// Write stores all rows of a batch. It returns ErrConflict when a row breaks
	// a constraint.
	Write(changes *Changes) error
	// Commit returns only when the batch is on disk. After an error nobody knows
	// whether it is.
	Commit() error
	Rollback() error
}

// Changes is what one batch writes, in the order in which it happened.
type Changes struct {
	Entries      []*Entry
	Usage        []*UsageRow
	Audit        []*AuditRow
	Requests     []*StoredRequest
	Wallets      []Wallet // the last state of each wallet that changed, once each
	Daily        []DailyUsage
	Quarters     []QuarterUsage
	Holds        []HoldRow // the last state of each that changed, once each
	Grants       []Grant   // likewise
	Moves        []GrantMove
	Spending     []KeySpending // the last state of each key that spent, once each
	Entitlements []Entitlement
}

// Entitlement is a PlanChange with the wallet that it belongs to.
type Entitlement struct {
	Subject Subject
	At      time.Time
	PlanChange
}
