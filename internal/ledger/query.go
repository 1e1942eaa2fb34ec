package ledger

import (
	"context"
	"time"
)

// Bounds of one page of a list.
const (
	DefaultPageRows = 50
	MaxPageRows     = 500
)

// MaxCounted bounds a total that has to be counted row by row; a list that is
// longer says as much.
const MaxCounted = 100_000

// Reader lists what is committed. Pages are newest first.
type Reader interface {
	Entries(ctx context.Context, query EntryQuery) (Page[Entry], error)
	// Entry finds one entry of any wallet; the bool is false when there is none.
	Entry(ctx context.Context, id string) (Entry, bool, error)
	Usage(ctx context.Context, query UsageQuery) (Page[UsageRow], error)
	Holds(ctx context.Context, query HoldQuery) (Page[HoldRow], error)
	// Hold finds one hold of any wallet; the bool is false when there is none.
	Hold(ctx context.Context, id string) (HoldRow, bool, error)
	// Grants lists a wallet's live grants with tokens left, soonest expiry first.
	Grants(ctx context.Context, subject Subject) ([]Grant, error)
	// UsedTokens sums what uses took from a wallet on and after a UTC day
	// (YYYY-MM-DD, empty: ever). Refunds do not count against it.
	UsedTokens(ctx context.Context, subject Subject, sinceDay string) (int64, error)
}

// Page is a part of a list and how long the whole list is.
type Page[T any] struct {
	Rows  []T
	Total int64 // of holds, and of uses that are filtered: at most MaxCounted
	// More says that older rows follow.
	More bool
}

// HoldQuery selects a page of a wallet's holds. Zero values do not filter.
type HoldQuery struct {
	Subject  Subject
	State    HoldState
	Limit    int64
	Offset   int64
	BeforeID string // only holds made before this one
	// WithoutTotal leaves Page.Total at 0 and saves counting.
	WithoutTotal bool
}

// EntryQuery selects a page of a wallet's ledger. Zero values do not filter.
type EntryQuery struct {
	Subject   Subject
	EventType EventType
	From, To  time.Time // From is included, To is not
	Limit     int64     // 1..MaxPageRows
	Offset    int64     // rows to pass over, 0 or more
	BeforeSeq int64     // only entries before this one; with it a page costs the same everywhere
	// WithoutTotal leaves Page.Total at 0 and saves counting.
	WithoutTotal bool
}

// UsageQuery selects a page of a wallet's uses. Zero values do not filter.
type UsageQuery struct {
	Subject   Subject
	Model     string
	EventType string
	From, To  time.Time
	Limit     int64
	Offset    int64
	Before    UsagePosition
	// WithoutTotal leaves Page.Total at 0 and saves counting.
	WithoutTotal bool
}

// UsagePosition is a place in the list of uses; the zero value is its beginning.
type UsagePosition struct {
	CreatedAt time.Time
	ID        string
}
