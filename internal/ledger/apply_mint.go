package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

func (m Mint) validate() error {
	if !m.ByPlan || m.Amount != 0 {
		if err := validAmount("amount", m.Amount); err != nil {
			return err
		}
	}
	return firstError(
		validText("externalEventId", m.ExternalEventID, MaxExternalEventBytes),
		validText("planId", m.PlanID, MaxReferenceBytes),
		validText("referenceType", m.ReferenceType, MaxReferenceBytes),
		validText("referenceId", m.ReferenceID, MaxReferenceBytes),
		validText("description", m.Description, MaxDescriptionBytes),
		validMetadata(m.Metadata),
		m.validExpiry(),
	)
}

func (m Mint) validExpiry() error {
	if m.ExpiresAt.IsZero() {
		return nil
	}
	if !m.ExpiresAt.Equal(m.ExpiresAt.Truncate(time.Millisecond)) || m.ExpiresAt.Year() > maxExpiryYear {
		return Invalid("expiresAt", fmt.Sprintf("expiresAt must be in whole milliseconds and before the year %d.", maxExpiryYear+1))
	}
	if _, err := withExpiry(m.Metadata, m.ExpiresAt); err != nil {
		return Invalid("metadata", `metadata must be an object without a key "expiresAt", which the mint's expiry gets.`)
	}
	return nil
}

// maxExpiryYear is the last whose times keep their length, and so their order, as
// text.
const maxExpiryYear = 9999

// metadata is the mint's own, with the expiry, which the chain then covers.
func (m Mint) metadata() json.RawMessage {
	if m.ExpiresAt.IsZero() {
		return m.Metadata
	}
	metadata, err := withExpiry(m.Metadata, m.ExpiresAt)
	if err != nil {
		panic("ledger: metadata that was valid is not: " + err.Error())
	}
	return metadata
}

const expiryKey = "expiresAt"

func withExpiry(metadata json.RawMessage, at time.Time) (json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	if len(metadata) > 0 {
		if err := json.Unmarshal(metadata, &fields); err != nil {
			return nil, err
		}
	}
	if _, taken := fields[expiryKey]; taken || fields == nil {
		return nil, errors.New("expiresAt is taken")
	}
	fields[expiryKey] = json.RawMessage(`"` + formatExpiry(at) + `"`)
	return json.Marshal(fields)
}

func formatExpiry(at time.Time) string {
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}

// apply: a mint is allowed whatever state the wallet is in, and lifts the freeze
// of a negative balance once the balance is whole.
func (m Mint) apply(wallet Wallet, facts Facts) (Outcome, error) {
	if !m.ExpiresAt.IsZero() {
		if err := m.mayExpire(facts); err != nil {
			return Outcome{}, err
		}
	}
	after, entry, err := post(wallet, stamp(Entry{
		Amount:          m.Amount,
		EventType:       EventMint,
		ReferenceType:   m.ReferenceType,
		ReferenceID:     m.ReferenceID,
		PlanID:          m.PlanID,
		ExternalEventID: m.ExternalEventID,
		Description:     m.Description,
		Metadata:        m.metadata(),
	}, m), facts)
	if err != nil {
		return Outcome{}, err
	}
	outcome := Outcome{
		Wallet:      after.credited(),
		Entry:       entry,
		Entitlement: m.Plan,
		Audit: audit(m, facts, m.Description, map[string]any{
			"amountTokens": m.Amount, "planId": m.PlanID, "externalEventId": m.ExternalEventID, "ledgerId": entry.ID,
		}),
	}
	if !m.ExpiresAt.IsZero() {
		outcome.grant(m.ExpiresAt)
	}
	return outcome, nil
}

func (m Mint) mayExpire(facts Facts) error {
	if !m.ExpiresAt.After(facts.Now) {
		return Invalid("expiresAt", "expiresAt is in the past: choose a later time, or leave it out for tokens that never expire.")
	}
	if len(facts.Grants) >= MaxLiveGrants {
		return Invalid("expiresAt", fmt.Sprintf("The wallet has %d grants that expire already: mint without expiresAt, or wait until some are used up.", MaxLiveGrants))
	}
	return nil
}

// grant gives the minted tokens an expiry, but for those that paid a debt.
func (o *Outcome) grant(expiresAt time.Time) {
	grant := Grant{
		ID: o.Entry.ID, Subject: o.Wallet.Subject, Amount: o.Entry.Amount,
		State: GrantLive, ExpiresAt: expiresAt, CreatedAt: o.Entry.CreatedAt,
	}
	if o.restore(grant, grant.Amount) == 0 {
		o.Grants = append(o.Grants, grant)
	}
}
