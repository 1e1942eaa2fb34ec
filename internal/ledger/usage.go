package ledger

import (
	"encoding/json"
	"reflect"
	"time"
)

// Usage says what a use paid for. Every field may be empty: a use by amount
// alone still leaves a usage row.
type Usage struct {
	Provider  string
	Model     string
	Modality  string
	Endpoint  string
	Method    string
	SessionID string
	// RequestID and ResponseID are the provider's names for the call.
	RequestID  string
	ResponseID string
	EventType  string // the provider event that was billed, such as response.done
	// Counts as the provider reported them.
	InputTokens  int64
	OutputTokens int64
	TotalTokens  int64
	Milliseconds int64
	// What each side cost in wallet tokens.
	AdjustedInputTokens  int64
	AdjustedOutputTokens int64
	// Ratios are wallet tokens per reported token as decimal text, for people to
	// read; money never comes from them.
	InputRatio  string
	OutputRatio string
	PriceID     string          // the price row that was in force
	Rates       json.RawMessage // its rates, pinned
	Metadata    json.RawMessage
	CallFacts
}

// CallFacts are what a metered call leaves beside its counts. They are not part
// of what makes two requests the same: a repetition takes another time.
type CallFacts struct {
	APIKey      string          // the id of the key that spent, set by the ledger; empty: none did
	Counts      json.RawMessage // by class, as the provider reported them or we counted
	FirstByteMS int64           // from the request to the answer's first byte
	DurationMS  int64           // from the request to the answer's end
	Status      int64           // the provider's HTTP status
	SettledBy   SettledBy
}

// SettledBy says where the counts of a metered call come from.
type SettledBy string

const (
	SettledByProvider SettledBy = "provider" // the provider reported them
	SettledByEstimate SettledBy = "estimate" // it did not, and we counted
	SettledByPartial  SettledBy = "partial"  // the call was cut, and we counted what was there
)

// UsageRow is a stored Usage. Its id is the id of the entry that paid for it.
type UsageRow struct {
	ID            string
	Subject       Subject
	LedgerID      string
	ChargedTokens int64
	CreatedAt     time.Time
	Usage
}

// IsEmpty tells whether nothing is known about a use but its amount.
func (u Usage) IsEmpty() bool { return reflect.ValueOf(u).IsZero() }

func (u Usage) fields(d *digest) {
	for _, text := range []string{
		u.Provider, u.Model, u.Modality, u.Endpoint, u.Method,
		u.SessionID, u.RequestID, u.ResponseID, u.EventType,
	} {
		d.text(text)
	}
	for _, count := range []int64{u.InputTokens, u.OutputTokens, u.TotalTokens, u.Milliseconds} {
		d.number(count)
	}
	d.bytes(u.Metadata)
}

// UsageTotals sums uses.
type UsageTotals struct {
	Uses         int64
	Tokens       int64 // wallet tokens charged
	InputTokens  int64
	OutputTokens int64
}

func (t *UsageTotals) add(usage *UsageRow) {
	t.Uses++
	t.Tokens += usage.ChargedTokens
	t.InputTokens += usage.InputTokens
	t.OutputTokens += usage.OutputTokens
}

// DailyUsage is the roll-up of one wallet's uses on one UTC day. A value of this
// type in a batch is what that batch adds to the stored row.
type DailyUsage struct {
	Subject Subject
	Day     string // YYYY-MM-DD, UTC
	UsageTotals
}

// QuarterUsage is the same for a quarter of an hour, of which the hours and days
// of every time zone are made.
type QuarterUsage struct {
	Subject Subject
	Slot    int64 // Unix seconds / QuarterSeconds
	UsageTotals
}

// QuarterSeconds is the length of a quarter of an hour.
const QuarterSeconds = 15 * 60
