package ledger

import (
	"cmp"
	"slices"
	"time"
)

// GrantState tells whether a grant's tokens may still be used.
type GrantState string

const (
	GrantLive    GrantState = "live"
	GrantExpired GrantState = "expired"
)

// ReferenceGrant marks the entry that took an expired grant's rest back.
const ReferenceGrant = "grant"

// Grant is what is left of a mint whose tokens expire. Its id is the id of the
// mint's entry. Over a wallet's live grants the Remaining sum to its Expiring,
// which is never more than a positive balance: debts are paid first.
type Grant struct {
	ID        string
	Subject   Subject
	Amount    int64 // tokens minted
	Remaining int64 // 0..Amount
	Expired   int64 // tokens that were taken back because their time was over
	State     GrantState
	ExpiresAt time.Time
	CreatedAt time.Time
}

// GrantMove is what one entry took from a grant (negative) or gave to it.
type GrantMove struct {
	LedgerID string
	GrantID  string
	Tokens   int64
}

func (g Grant) live(now time.Time) bool {
	return g.State == GrantLive && g.ExpiresAt.After(now)
}

// soonestFirst is the order in which grants are used up.
func soonestFirst(a, b Grant) int {
	return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), cmp.Compare(a.ID, b.ID))
}

// drawOrder says which tokens a debit takes first.
type drawOrder struct {
	// first is a grant to take from before all others: the one whose mint is reversed.
	first string
	// undatedFirst takes tokens without an expiry before those of grants.
	undatedFirst bool
	// closesHold takes from grants that are over and lived on for a hold only.
	closesHold bool
}

// draw books a debit of the outcome's entry against the grants. Tokens that lived
// on beyond their expiry, because a hold kept them, are left to that hold as long
// as there are others.
func (o *Outcome) draw(before Wallet, facts Facts, order drawOrder) {
	if before.Expiring == 0 {
		return
	}
	left := -o.Entry.Amount
	undated := max(0, before.Balance-before.Expiring)
	grants := slices.SortedFunc(slices.Values(facts.Grants), soonestFirst)
	take := func(wanted func(Grant) bool) {
		for i := range grants {
			if taken := min(left, grants[i].Remaining); taken > 0 && wanted(grants[i]) {
				left -= taken
				grants[i].Remaining -= taken
				o.move(grants[i], -taken)
			}
		}
	}
	takeUndated := func() {
		taken := min(left, undated)
		left, undated = left-taken, undated-taken
	}

	take(func(g Grant) bool { return g.ID == order.first })
	if order.undatedFirst {
		takeUndated()
	}
	take(func(g Grant) bool { return order.closesHold || g.live(facts.Now) })
	takeUndated()
	take(func(Grant) bool { return true }) // beyond it the balance is negative
}

// restore gives tokens of a credit to a grant, as far as they are not needed to
// bring a negative balance back to zero.
func (o *Outcome) restore(grant Grant, tokens int64) int64 {
	room := max(0, o.Wallet.Balance) - o.Wallet.Expiring
	given := min(tokens, room)
	if given <= 0 {
		return 0
	}
	grant.Remaining += given
	o.move(grant, given)
	return given
}

// move records the grant's new state and what moved it.
func (o *Outcome) move(grant Grant, tokens int64) {
	o.Wallet.Expiring += tokens
	o.Moves = append(o.Moves, GrantMove{LedgerID: o.Entry.ID, GrantID: grant.ID, Tokens: tokens})
	o.Grants = append(o.Grants, grant)
}
