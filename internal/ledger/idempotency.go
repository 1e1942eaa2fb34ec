package ledger

import (
	"encoding/json"
	"fmt"
	"time"
)

// RequestKey is where a finished request is remembered: one wallet, one route,
// one key of the client's choosing.
type RequestKey struct {
	Subject Subject
	Kind    Kind
	Key     string
}

// StoredRequest is a finished request, kept for ever so that its repetition
// answers the first result instead of doing it again.
type StoredRequest struct {
	Key         RequestKey
	Fingerprint Hash
	EntryID     string // empty for operations without an entry
	Wallet      Standing
	Refundable  int64
	Hold        *HoldRow     // as the operation left it, for operations on holds
	Items       []StoredItem // of a UseBatch
	CreatedAt   time.Time
}

// StoredItem is the result of one use of a UseBatch: an entry, or a refusal.
type StoredItem struct {
	EntryID string   `json:"entryId,omitempty"`
	Wallet  Standing `json:"wallet,omitzero"`
	Code    Code     `json:"code,omitempty"`
	Field   string   `json:"field,omitempty"`
	Message string   `json:"message,omitempty"`
}

func requestKey(op Operation) (RequestKey, bool) {
	request := op.request()
	if request.IdempotencyKey == "" {
		return RequestKey{}, false
	}
	return RequestKey{Subject: request.Subject, Kind: op.kind(), Key: request.IdempotencyKey}, true
}

// repeatable tells whether the operation may be the repetition of another.
func repeatable(op Operation) bool {
	mint, ok := op.(Mint)
	return op.request().IdempotencyKey != "" || (ok && mint.ExternalEventID != "")
}

func mismatch(what string) error {
	return &Error{
		Code:    CodeIdempotencyMismatch,
		Message: fmt.Sprintf("This %s was used before with other fields: send the same fields, or choose a new one.", what),
	}
}

// sameMint tells whether a mint repeats the one that made entry. A mint by plan
// is the same when plan and payment are: its amount may have been priced anew.
func sameMint(entry Entry, m Mint) bool {
	if entry.Subject != m.Subject || entry.EventType != EventMint {
		return false
	}
	if m.ByPlan {
		return entry.PlanID == m.PlanID && paidCents(entry) == m.PaidCents
	}
	return entry.Amount == m.Amount
}

// planPayment is the metadata of a mint by plan.
type planPayment struct {
	AmountCents int64 `json:"amountCents"`
	UnusedCents int64 `json:"unusedCents"`
}

// PlanPayment makes the metadata of a mint by plan: what was paid, and what of it
// the plan did not need.
func PlanPayment(amountCents, unusedCents int64) json.RawMessage {
	return fmt.Appendf(nil, `{"amountCents":%d,"unusedCents":%d}`, amountCents, unusedCents)
}

// UnusedCents reads back what a mint by plan did not need of its payment.
func UnusedCents(entry Entry) int64 {
	return payment(entry).UnusedCents
}

func paidCents(entry Entry) int64 {
	return payment(entry).AmountCents
}

func payment(entry Entry) planPayment {
	var p planPayment
	if json.Unmarshal(entry.Metadata, &p) != nil {
		return planPayment{AmountCents: -1} // an entry that was not minted by plan
	}
	return p
}
