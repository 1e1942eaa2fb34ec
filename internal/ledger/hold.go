package ledger

import (
	"fmt"
	"time"
)

// HoldState is where a hold stands. Open is the only state that reserves tokens.
type HoldState string

const (
	HoldOpen     HoldState = "open"
	HoldSettled  HoldState = "settled"
	HoldReleased HoldState = "released"
	HoldExpired  HoldState = "expired"
)

// ReferenceHold marks the entry that settled a hold.
const ReferenceHold = "hold"

// HoldRow is a reservation of tokens until a deadline.
type HoldRow struct {
	ID        string
	Subject   Subject
	Amount    int64 // reserved tokens while it is open
	State     HoldState
	Reference string // the caller's own name for it
	ExpiresAt time.Time
	CreatedAt time.Time
	ClosedAt  time.Time // zero while it is open
	LedgerID  string    // the entry that settled it, empty before
	KeyID     string    // the API key whose spending it counts for, empty when there is none
}

// reserved is what the hold counts for in its wallet's Held.
func (h HoldRow) reserved() int64 {
	if h.State != HoldOpen {
		return 0
	}
	return h.Amount
}

// closed returns the hold in its new state.
func (h HoldRow) closed(state HoldState, at time.Time) *HoldRow {
	h.State, h.ClosedAt = state, at
	return &h
}

// due tells whether the deadline of an open hold has passed.
func (h HoldRow) due(now time.Time) bool {
	return h.State == HoldOpen && !h.ExpiresAt.After(now)
}

// at is the hold as a moment sees it: expired from its deadline on, whether a sweep
// has closed it or not.
func (h HoldRow) at(now time.Time) HoldRow {
	if h.due(now) {
		return *h.closed(HoldExpired, now)
	}
	return h
}

func holdNotFound(id string) error {
	return &Error{Code: CodeHoldNotFound, Field: "id", Message: fmt.Sprintf("There is no hold %q in this wallet.", id)}
}

func holdNotOpen(hold HoldRow) error {
	return &Error{
		Code: CodeHoldNotOpen, Field: "id",
		Message: fmt.Sprintf("Hold %s is %s already: open a new one.", hold.ID, hold.State),
	}
}
