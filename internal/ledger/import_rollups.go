package ledger

import (
	"strconv"
	"time"
)

// datedRollups sums imported uses by wallet and day, and by wallet and quarter of
// an hour, each use at the time of its own entry.
type datedRollups struct {
	daily    kept[DailyUsage]
	quarters kept[QuarterUsage]
}

func (r *datedRollups) add(entry *Entry, use UsageTotals) {
	day := entry.CreatedAt.Format(time.DateOnly)
	slot := entry.CreatedAt.Unix() / QuarterSeconds

	dayKey := day + " " + entry.Subject.ID
	daily, known := r.daily.get(dayKey)
	if !known {
		daily = DailyUsage{Subject: entry.Subject, Day: day}
	}
	daily.UsageTotals.plus(use)
	r.daily.put(dayKey, daily)

	slotKey := strconv.FormatInt(slot, 10) + " " + entry.Subject.ID
	quarter, known := r.quarters.get(slotKey)
	if !known {
		quarter = QuarterUsage{Subject: entry.Subject, Slot: slot}
	}
	quarter.UsageTotals.plus(use)
	r.quarters.put(slotKey, quarter)
}

func (t *UsageTotals) plus(other UsageTotals) {
	t.Uses += other.Uses
	t.Tokens += other.Tokens
	t.InputTokens += other.InputTokens
	t.OutputTokens += other.OutputTokens
}
