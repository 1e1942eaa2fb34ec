package usagesummary

import (
	"time"

	"sokuji/internal/ledger"
)

// Bucket is what was used in one day or hour.
type Bucket struct {
	Start time.Time // in the period's zone
	ledger.UsageTotals
}

// Summary adds up roll-ups by the buckets of a period.
type Summary struct {
	Period  Period
	Buckets []Bucket // all of the period, empty ones too, in order
	Total   ledger.UsageTotals
}

// NewSummary is a summary of nothing.
func NewSummary(period Period) *Summary {
	s := &Summary{Period: period, Buckets: make([]Bucket, len(period.starts))}
	for i, start := range period.starts {
		s.Buckets[i].Start = start
	}
	return s
}

// Add counts the roll-up of one quarter of an hour (slot: Unix seconds /
// ledger.QuarterSeconds) in the bucket in which it begins. One outside the period
// is left out, and the answer is false.
func (s *Summary) Add(slot int64, totals ledger.UsageTotals) bool {
	at, ok := s.Period.index(time.Unix(slot*ledger.QuarterSeconds, 0))
	if !ok {
		return false
	}
	add(&s.Buckets[at].UsageTotals, totals)
	add(&s.Total, totals)
	return true
}

func add(sum *ledger.UsageTotals, more ledger.UsageTotals) {
	sum.Uses += more.Uses
	sum.Tokens += more.Tokens
	sum.InputTokens += more.InputTokens
	sum.OutputTokens += more.OutputTokens
}
