package ledger

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// ImportedMark stands in the RequestHash of an entry that another backend made.
// No request can leave it there: a hash has 64 digits. The chain covers it, so
// that nobody gives it to an entry later.
const ImportedMark = "imported"

// FrozenImported is the reason of a freeze that came with an import. Nothing but
// an admin lifts it.
const FrozenImported = "imported"

// IsImported tells whether another backend made the entry, by rules of its own.
func (e Entry) IsImported() bool { return e.RequestHash == ImportedMark }

// ImportedEntry is one line of another backend's ledger. It keeps its id, its sign
// and its time; what was allowed there is not asked again here.
type ImportedEntry struct {
	Subject         Subject
	ID              string    // 1..MaxReferenceBytes
	At              time.Time // whole milliseconds
	Amount          int64     // tokens, signed, at most MaxAmountTokens either way, 0 too
	EventType       EventType
	ReferenceType   string
	ReferenceID     string
	PlanID          string
	ExternalEventID string
	Description     string
	Metadata        json.RawMessage
	// Usage says what it paid for: rows with ids of their own. Their Subject and
	// LedgerID become the entry's.
	Usage []UsageRow
	// UsageSince: of an entry that is in the books already, usage rows from before it
	// may be in archives, and are not added again.
	UsageSince time.Time
}

// importEntry posts an ImportedEntry. Only Import does it.
type importEntry struct {
	Request
	entry ImportedEntry
}

func (importEntry) kind() Kind     { return "import" }
func (importEntry) fields(*digest) {} // never repeated by key: the entry's id is the key

func (i importEntry) validate() error {
	e := i.entry
	if e.ID == "" {
		return Invalid("id", "id is empty: an imported entry keeps the id it had.")
	}
	if absolute(e.Amount) > MaxAmountTokens || absolute(e.Amount) < 0 {
		return Invalid("amount", "amount is beyond 10^15 tokens either way.")
	}
	switch e.EventType {
	case EventMint, EventUse, EventRefund, EventAdjust:
	default:
		return Invalid("eventType", fmt.Sprintf("eventType %q is none of mint, use, refund and adjust.", e.EventType))
	}
	if !e.At.Equal(e.At.Truncate(time.Millisecond)) || e.At.Year() < 1 || e.At.Year() > maxExpiryYear {
		return Invalid("createdAt", fmt.Sprintf("createdAt is not a whole millisecond before the year %d.", maxExpiryYear+1))
	}
	return firstError(
		validText("id", e.ID, MaxReferenceBytes),
		validText("referenceType", e.ReferenceType, MaxReferenceBytes),
		validText("referenceId", e.ReferenceID, MaxReferenceBytes),
		validText("planId", e.PlanID, MaxReferenceBytes),
		validText("externalEventId", e.ExternalEventID, MaxExternalEventBytes),
		validText("description", e.Description, MaxDescriptionBytes),
		validImportedMetadata(e.Metadata),
	)
}

// maxImportedMetadataBytes is more than a request may carry: what is in the other
// ledger is there already.
const maxImportedMetadataBytes = 1 << 20

func validImportedMetadata(metadata json.RawMessage) error {
	if len(metadata) > maxImportedMetadataBytes {
		return Invalid("metadata", fmt.Sprintf("metadata is too long: at most %d bytes of JSON.", maxImportedMetadataBytes))
	}
	if len(metadata) > 0 && (!utf8.Valid(metadata) || !json.Valid(metadata)) {
		return Invalid("metadata", "metadata is not valid JSON.")
	}
	return nil
}

// apply: no rule about the balance holds, but its bounds. Nothing is frozen and no
// freeze is lifted: the wallet's own row said what it was.
func (i importEntry) apply(wallet Wallet, facts Facts) (Outcome, error) {
	e := i.entry
	after, entry, err := post(wallet, Entry{
		Amount:          e.Amount,
		EventType:       e.EventType,
		ReferenceType:   e.ReferenceType,
		ReferenceID:     e.ReferenceID,
		PlanID:          e.PlanID,
		ExternalEventID: e.ExternalEventID,
		RequestHash:     ImportedMark,
		Description:     e.Description,
		Metadata:        e.Metadata,
	}, facts)
	if err != nil {
		return Outcome{}, err
	}
	if wallet.UpdatedAt.After(after.UpdatedAt) {
		after.UpdatedAt = wallet.UpdatedAt // an old entry does not make a wallet older
	}
	outcome := Outcome{Wallet: after, Entry: entry}
	if e.Amount < 0 {
		outcome.draw(wallet, facts, drawOrder{})
	}
	return outcome, nil
}
