package ledger

import (
	"fmt"
	"strings"
)

// validate allows an amount of 0: the provider may have charged nothing.
func (s Settle) validate() error {
	return firstError(
		validCount("amount", s.Amount),
		s.Usage.validate(),
		validText("description", s.Description, MaxDescriptionBytes),
		validMetadata(s.Metadata),
		s.validKey(),
	)
}

// validKey leaves the gateway's keys to the gateway. A client that took one first
// would have the call for nothing: its settlement would be refused as another
// request under the same key.
func (s Settle) validKey() error {
	if s.Authority != AsGateway && strings.HasPrefix(s.IdempotencyKey, GatewayReference) {
		return Invalid("Idempotency-Key", "Idempotency-Key of a settlement must not begin with "+GatewayReference+", which marks the gateway's own: choose another.")
	}
	return nil
}

// apply: the cost is real already, so it is recorded whatever state the wallet is
// in, beyond the hold and after its deadline too. A second closing is refused, and
// what a client alone says was used beyond what there is.
func (s Settle) apply(wallet Wallet, facts Facts) (Outcome, error) {
	before, err := namedHold(wallet, s.Request, s.HoldID, facts)
	if err != nil {
		return Outcome{}, err
	}
	if before.State != HoldOpen && before.State != HoldExpired {
		return Outcome{}, holdNotOpen(before)
	}
	if err := s.withinWallet(wallet, before, facts); err != nil {
		return Outcome{}, err
	}
	after, entry, err := post(wallet, stamp(Entry{
		Amount:        -s.Amount,
		EventType:     EventUse,
		ReferenceType: ReferenceHold,
		ReferenceID:   before.ID,
		Description:   s.Description,
		Metadata:      s.Metadata,
	}, s), facts)
	if err != nil {
		return Outcome{}, err
	}
	settled := before.closed(HoldSettled, facts.Now)
	settled.LedgerID = entry.ID
	outcome := hold(after, before, *settled, facts)
	outcome.Entry, outcome.Usage = entry, usageRow(entry, s.Usage)
	outcome.draw(wallet, facts, drawOrder{closesHold: true})
	return outcome, nil
}

// withinWallet bounds a client as a use is bounded: what lies beyond its hold must
// be available. Its cost is its own word, and with any number it would put any debt
// on a wallet that others own. A frozen wallet is no bar.
func (s Settle) withinWallet(wallet Wallet, before HoldRow, facts Facts) error {
	if s.Authority != AsClient {
		return nil
	}
	kept := before.at(facts.Now).reserved()
	wallet.Held += kept - before.reserved()
	beyond := s.Amount - kept
	if beyond <= 0 || wallet.Available() >= beyond {
		return nil
	}
	return &Error{
		Code: CodeInsufficientBalance,
		Message: fmt.Sprintf("%d tokens are needed beyond what the hold still reserves, and %d are available: top up the wallet, then settle again.",
			beyond, wallet.Available()),
		Wallet: &wallet,
	}
}

// withinKey does the same for the bounds of the key that the settlement counts for.
// Those of another key than the one that asks are not known here, so on its account
// nothing is charged beyond what it reserved.
func (s Settle) withinKey(spending KeySpending, facts Facts) error {
	if s.Authority != AsClient {
		return nil
	}
	now := facts.Hold.at(facts.Now)
	kept := reservedBy(&now, spending.KeyID)
	spending.HeldTokens += kept - reservedBy(facts.Hold, spending.KeyID)
	beyond := s.Amount - kept
	if beyond <= 0 {
		return nil
	}
	if s.Spender.KeyID != spending.KeyID {
		return &Error{
			Code:    CodeSpendLimitReached,
			Message: fmt.Sprintf("The hold belongs to another API key, and reserves %d tokens: settle it with at most these, or with its own key.", kept),
		}
	}
	return s.Spender.allow(spending, beyond)
}
