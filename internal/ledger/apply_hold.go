package ledger

import (
	"fmt"
	"time"
)

// Bounds of a hold's life.
const (
	MinHoldDuration     = time.Second
	MaxHoldDuration     = 24 * time.Hour
	DefaultHoldDuration = 5 * time.Minute
)

func validDuration(duration time.Duration) error {
	if duration < MinHoldDuration || duration > MaxHoldDuration {
		return Invalid("expiresInSeconds", fmt.Sprintf("expiresInSeconds must be a whole number from %d to %d.",
			MinHoldDuration/time.Second, MaxHoldDuration/time.Second))
	}
	return nil
}

func (h Hold) validate() error {
	return firstError(
		validAmount("amount", h.Amount),
		validDuration(h.Duration),
		validText("reference", h.Reference, MaxReferenceBytes),
		h.validReference(),
	)
}

func (h Hold) validReference() error {
	if h.Authority != AsGateway && (HoldRow{Reference: h.Reference}).isGateways() {
		return Invalid("reference", "reference must not begin with "+GatewayReference+", which marks the gateway's own holds.")
	}
	return nil
}

// apply: what is reserved must be available, and nothing is reserved in a frozen
// wallet.
func (h Hold) apply(wallet Wallet, facts Facts) (Outcome, error) {
	if wallet.Frozen {
		return Outcome{}, frozen(wallet)
	}
	if wallet.Available() < h.Amount {
		return Outcome{}, insufficient(wallet, h.Amount)
	}
	return hold(wallet, HoldRow{}, HoldRow{
		ID: facts.ID, Subject: wallet.Subject, Amount: h.Amount, State: HoldOpen,
		Reference: h.Reference, ExpiresAt: facts.Now.Add(h.Duration), CreatedAt: facts.Now,
	}, facts), nil
}

// hold moves a wallet's Held along with a hold.
func hold(wallet Wallet, before, after HoldRow, facts Facts) Outcome {
	wallet.Held += after.reserved() - before.reserved()
	wallet.UpdatedAt = facts.Now
	return Outcome{Wallet: wallet, Hold: &after}
}

func (e Extend) validate() error {
	if e.Amount == 0 && e.Duration == 0 {
		return Invalid("amount", "amount or expiresInSeconds is missing: say what the hold is extended by.")
	}
	if e.Amount != 0 {
		if err := validAmount("amount", e.Amount); err != nil {
			return err
		}
	}
	if e.Duration != 0 {
		return validDuration(e.Duration)
	}
	return nil
}

// apply: more tokens, a later deadline, or both. A deadline never moves back.
func (e Extend) apply(wallet Wallet, facts Facts) (Outcome, error) {
	open, err := openHold(wallet, e.Request, e.HoldID, facts)
	if err != nil {
		return Outcome{}, err
	}
	if !open.mayExtend(e.Spender) {
		return Outcome{}, holdNotFound(e.HoldID)
	}
	if wallet.Frozen {
		return Outcome{}, frozen(wallet)
	}
	if wallet.Available() < e.Amount {
		return Outcome{}, insufficient(wallet, e.Amount)
	}
	if open.Amount+e.Amount > MaxAmountTokens {
		return Outcome{}, Invalid("amount", "amount would take the hold past 10^15 tokens.")
	}
	extended := open
	extended.Amount += e.Amount
	if deadline := facts.Now.Add(e.Duration); deadline.After(extended.ExpiresAt) {
		extended.ExpiresAt = deadline
	}
	return hold(wallet, open, extended, facts), nil
}

func (r Release) validate() error { return nil }

// apply: the tokens are free again.
func (r Release) apply(wallet Wallet, facts Facts) (Outcome, error) {
	open, err := openHold(wallet, r.Request, r.HoldID, facts)
	if err != nil {
		return Outcome{}, err
	}
	return hold(wallet, open, *open.closed(HoldReleased, facts.Now), facts), nil
}

// openHold is the hold that an operation names, if it is open and in time.
func openHold(wallet Wallet, request Request, id string, facts Facts) (HoldRow, error) {
	named, err := namedHold(wallet, request, id, facts)
	if err != nil {
		return HoldRow{}, err
	}
	if now := named.at(facts.Now); now.State != HoldOpen {
		return HoldRow{}, holdNotOpen(now)
	}
	return named, nil
}

// namedHold is the hold that an operation names, if it is the wallet's and whoever
// asks may touch it.
func namedHold(wallet Wallet, request Request, id string, facts Facts) (HoldRow, error) {
	if facts.Hold == nil || facts.Hold.Subject != wallet.Subject {
		return HoldRow{}, holdNotFound(id)
	}
	return *facts.Hold, facts.Hold.mayTouch(request.Authority)
}
