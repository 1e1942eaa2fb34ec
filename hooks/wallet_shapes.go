package hooks

import (
	"encoding/json"

	"sokuji/internal/ledger"
)

// entryJSON is a ledger row as clients see it, in api.md's camelCase.
type entryJSON struct {
	ID              string             `json:"id"`
	Seq             int64              `json:"seq"`
	SubjectType     ledger.SubjectType `json:"subjectType"`
	SubjectID       string             `json:"subjectId"`
	AmountTokens    int64              `json:"amountTokens"`
	BalanceAfter    int64              `json:"balanceAfter"`
	EventType       ledger.EventType   `json:"eventType"`
	ReferenceType   *string            `json:"referenceType"`
	ReferenceID     *string            `json:"referenceId"`
	PlanID          *string            `json:"planId"`
	ExternalEventID *string            `json:"externalEventId"`
	Description     *string            `json:"description"`
	Metadata        json.RawMessage    `json:"metadata"`
	CreatedAt       string             `json:"createdAt"`
	PrevHash        string             `json:"prevHash"`
	Hash            string             `json:"hash"`
}

func showEntry(e ledger.Entry) entryJSON {
	return entryJSON{
		ID: e.ID, Seq: e.Seq, SubjectType: e.Subject.Type, SubjectID: e.Subject.ID,
		AmountTokens: e.Amount, BalanceAfter: e.BalanceAfter, EventType: e.EventType,
		ReferenceType: textOrNil(e.ReferenceType), ReferenceID: textOrNil(e.ReferenceID),
		PlanID: textOrNil(e.PlanID), ExternalEventID: textOrNil(e.ExternalEventID),
		Description: textOrNil(e.Description), Metadata: jsonOrNull(e.Metadata),
		CreatedAt: isoTime(e.CreatedAt), PrevHash: e.PrevHash.String(), Hash: e.Hash.String(),
	}
}

// usageJSON is a usage row as clients see it.
type usageJSON struct {
	ID                   string          `json:"id"`
	Provider             string          `json:"provider"`
	Model                string          `json:"model"`
	Modality             *string         `json:"modality"`
	Endpoint             *string         `json:"endpoint"`
	Method               *string         `json:"method"`
	InputTokens          int64           `json:"inputTokens"`
	OutputTokens         int64           `json:"outputTokens"`
	TotalTokens          int64           `json:"totalTokens"`
	AdjustedInputTokens  int64           `json:"adjustedInputTokens"`
	AdjustedOutputTokens int64           `json:"adjustedOutputTokens"`
	AdjustedTotalTokens  int64           `json:"adjustedTotalTokens"`
	InputRatio           json.RawMessage `json:"inputRatio"`
	OutputRatio          json.RawMessage `json:"outputRatio"`
	SessionID            *string         `json:"sessionId"`
	RequestID            *string         `json:"requestId"`
	ResponseID           *string         `json:"responseId"`
	EventType            *string         `json:"eventType"`
	LedgerID             *string         `json:"ledgerId"`
	Metadata             json.RawMessage `json:"metadata"`
	CreatedAt            string          `json:"createdAt"`
	ChargedTokens        int64           `json:"chargedTokens"`
	DurationMs           int64           `json:"durationMs"`
	PriceID              *string         `json:"priceId"`
	Rates                json.RawMessage `json:"rates"`
	APIKeyID             *string         `json:"apiKeyId"`
	Counts               json.RawMessage `json:"counts"`
	FirstByteMs          int64           `json:"firstByteMs"`
	CallDurationMs       int64           `json:"callDurationMs"`
	Status               int64           `json:"status"`
	SettledBy            *string         `json:"settledBy"`
}

func showUsage(u ledger.UsageRow) usageJSON {
	return usageJSON{
		ID: u.ID, Provider: u.Provider, Model: u.Model, Modality: textOrNil(u.Modality),
		Endpoint: textOrNil(u.Endpoint), Method: textOrNil(u.Method),
		InputTokens: u.InputTokens, OutputTokens: u.OutputTokens, TotalTokens: u.TotalTokens,
		AdjustedInputTokens: u.AdjustedInputTokens, AdjustedOutputTokens: u.AdjustedOutputTokens,
		AdjustedTotalTokens: u.AdjustedInputTokens + u.AdjustedOutputTokens,
		InputRatio:          numberOrNull(u.InputRatio), OutputRatio: numberOrNull(u.OutputRatio),
		SessionID: textOrNil(u.SessionID), RequestID: textOrNil(u.RequestID), ResponseID: textOrNil(u.ResponseID),
		EventType: textOrNil(u.EventType), LedgerID: textOrNil(u.LedgerID),
		Metadata: jsonOrNull(u.Metadata), CreatedAt: isoTime(u.CreatedAt),
		ChargedTokens: u.ChargedTokens, DurationMs: u.Milliseconds, PriceID: textOrNil(u.PriceID), Rates: jsonOrNull(u.Rates),
		APIKeyID: textOrNil(u.APIKey), Counts: jsonOrNull(u.Counts), FirstByteMs: u.FirstByteMS,
		CallDurationMs: u.DurationMS, Status: u.Status, SettledBy: textOrNil(string(u.SettledBy)),
	}
}

var jsonNull = json.RawMessage("null")

func jsonOrNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return jsonNull
	}
	return raw
}

// numberOrNull shows a decimal text as the JSON number that it is; 0 is how the
// column says that there is no ratio.
func numberOrNull(decimal string) json.RawMessage {
	if decimal == "" || decimal == "0" {
		return jsonNull
	}
	return json.RawMessage(decimal)
}
