package ledger

import (
	"encoding/json"
	"time"
)

// EventType says what an entry records.
type EventType string

const (
	EventMint   EventType = "mint"
	EventUse    EventType = "use"
	EventRefund EventType = "refund"
	EventAdjust EventType = "adjust"
)

// ReferenceLedger marks an entry that refers to another entry of the ledger.
const ReferenceLedger = "ledger"

// Entry is one line of a wallet's ledger. Once committed it never changes.
type Entry struct {
	ID              string
	Subject         Subject
	Seq             int64 // 1, 2, 3 … without gaps within one wallet
	Amount          int64 // tokens, signed: credits are positive, debits negative
	BalanceAfter    int64 // the posted balance once this entry counted
	EventType       EventType
	ReferenceType   string
	ReferenceID     string
	PlanID          string
	ExternalEventID string
	IdempotencyKey  string
	RequestHash     string // hex SHA-256 of the request's fields, empty without a key; see ImportedMark
	Description     string
	Metadata        json.RawMessage // canonical JSON object or nil
	CreatedAt       time.Time       // UTC, whole milliseconds
	PrevHash        Hash
	Hash            Hash
}
