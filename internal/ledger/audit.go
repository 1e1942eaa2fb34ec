package ledger

import (
	"encoding/json"
	"time"
)

// AuditRow records that somebody acted on a wallet by hand.
type AuditRow struct {
	ID        string
	Actor     string
	Action    string // such as wallet.freeze
	Subject   Subject
	Reason    string
	Details   json.RawMessage
	CreatedAt time.Time
}
