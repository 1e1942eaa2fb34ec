package ledger

import (
	"errors"
	"fmt"
)

// expireHold frees the tokens of a hold whose deadline has passed. Only the
// ledger itself does it.
type expireHold struct {
	Request
	holdID string
}

// expireGrant takes back what is left of a grant that is over, but for the tokens
// that a hold from its lifetime still reserves: they expire when the hold closes.
type expireGrant struct {
	Request
	grantID string
}

// errNothingDue says that there is nothing to do after all, or nothing yet.
var errNothingDue = errors.New("ledger: nothing is due")

func (expireHold) kind() Kind       { return "expire-hold" }
func (expireHold) validate() error  { return nil }
func (expireHold) fields(*digest)   {}
func (expireGrant) kind() Kind      { return "expire-grant" }
func (expireGrant) validate() error { return nil }
func (expireGrant) fields(*digest)  {}

func (x expireHold) apply(wallet Wallet, facts Facts) (Outcome, error) {
	if facts.Hold == nil || !facts.Hold.due(facts.Now) {
		return Outcome{}, errNothingDue
	}
	return hold(wallet, *facts.Hold, *facts.Hold.closed(HoldExpired, facts.Now), facts), nil
}

func (x expireGrant) apply(wallet Wallet, facts Facts) (Outcome, error) {
	grant := facts.Grant
	if grant == nil || grant.State != GrantLive || grant.live(facts.Now) {
		return Outcome{}, errNothingDue
	}
	expired := grant.Remaining - keptByHolds(*grant, facts)
	if expired == 0 && grant.Remaining > 0 {
		return Outcome{}, errNothingDue
	}
	after := *grant
	if expired == grant.Remaining {
		after.State = GrantExpired
	}
	if expired == 0 {
		return Outcome{Wallet: wallet, Grants: []Grant{after}}, nil
	}
	posted, entry, err := post(wallet, Entry{
		Amount:        -expired,
		EventType:     EventAdjust,
		ReferenceType: ReferenceGrant,
		ReferenceID:   grant.ID,
		Description:   fmt.Sprintf("Expired: %d of %d tokens minted until %s", expired, grant.Amount, formatExpiry(grant.ExpiresAt)),
	}, facts)
	if err != nil {
		return Outcome{}, err
	}
	outcome := Outcome{Wallet: posted, Entry: entry}
	after.Remaining -= expired
	after.Expired += expired
	outcome.move(after, -expired)
	return outcome, nil
}

// keptByHolds is how many tokens of a grant are under holds that are open and in
// time. Holds reserve the tokens that expire soonest, and only tokens that lived
// when they began. One past its deadline keeps nothing, whether a sweep has closed
// it or not.
func keptByHolds(grant Grant, facts Facts) int64 {
	var reserved int64
	for _, hold := range facts.OpenHolds {
		if hold.CreatedAt.Before(grant.ExpiresAt) && !hold.due(facts.Now) {
			reserved += hold.Amount
		}
	}
	for _, other := range facts.Grants {
		if soonestFirst(other, grant) < 0 {
			reserved -= other.Remaining
		}
	}
	return max(0, min(grant.Remaining, reserved))
}
