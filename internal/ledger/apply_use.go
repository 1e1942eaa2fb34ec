package ledger

import (
	"encoding/json"
	"fmt"
)

func (u Use) validate() error {
	return firstError(
		validAmount("amount", u.Amount),
		u.Usage.validate(),
		validText("description", u.Description, MaxDescriptionBytes),
		validMetadata(u.Metadata),
	)
}

// apply: a use needs what is available, and nothing is spent from a frozen
// wallet, whoever asks.
func (u Use) apply(wallet Wallet, facts Facts) (Outcome, error) {
	if wallet.Frozen {
		return Outcome{}, frozen(wallet)
	}
	if !u.AllowNegative && wallet.Available() < u.Amount {
		return Outcome{}, insufficient(wallet, u.Amount)
	}
	after, entry, err := post(wallet, stamp(Entry{
		Amount:      -u.Amount,
		EventType:   EventUse,
		Description: u.Description,
		Metadata:    u.Metadata,
	}, u), facts)
	if err != nil {
		return Outcome{}, err
	}
	outcome := Outcome{Wallet: after, Entry: entry, Usage: usageRow(entry, u.Usage)}
	outcome.draw(wallet, facts, drawOrder{})
	return outcome, nil
}

func usageRow(entry *Entry, usage Usage) *UsageRow {
	return &UsageRow{
		ID:            entry.ID,
		Subject:       entry.Subject,
		LedgerID:      entry.ID,
		ChargedTokens: -entry.Amount,
		CreatedAt:     entry.CreatedAt,
		Usage:         usage,
	}
}

func (u Usage) validate() error {
	return firstError(
		validText("provider", u.Provider, MaxReferenceBytes),
		validText("model", u.Model, MaxReferenceBytes),
		validText("modality", u.Modality, MaxReferenceBytes),
		validText("endpoint", u.Endpoint, MaxReferenceBytes),
		validText("method", u.Method, MaxReferenceBytes),
		validText("sessionId", u.SessionID, MaxReferenceBytes),
		validText("requestId", u.RequestID, MaxReferenceBytes),
		validText("responseId", u.ResponseID, MaxReferenceBytes),
		validText("eventType", u.EventType, MaxReferenceBytes),
		validCount("inputTokens", u.InputTokens),
		validCount("outputTokens", u.OutputTokens),
		validCount("totalTokens", u.TotalTokens),
		validCount("durationSeconds", u.Milliseconds),
		validMetadata(u.Metadata),
		u.CallFacts.validate(),
	)
}

func (f CallFacts) validate() error {
	if len(f.Counts) > MaxMetadataBytes || (len(f.Counts) > 0 && !json.Valid(f.Counts)) {
		return Invalid("counts", fmt.Sprintf("counts must be JSON of at most %d bytes.", MaxMetadataBytes))
	}
	return firstError(
		validText("apiKey", f.APIKey, MaxReferenceBytes),
		validText("settledBy", string(f.SettledBy), MaxReferenceBytes),
		validCount("firstByteMs", f.FirstByteMS),
		validCount("callDurationMs", f.DurationMS),
		validCount("status", f.Status),
	)
}
