package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sokuji/internal/ledger"
)

// selectQuarters reads a wallet's quarters of an hour. Their key begins with the
// slot, under which everybody's rows lie, so a range of slots would cost what the
// whole house used. The wallet's own days are few and found by index; each of
// their 96 slots is one look by the whole key. CROSS JOIN keeps that order.
const selectQuarters = `WITH RECURSIVE parts (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM parts WHERE n < 95)
SELECT q.slot, q.uses, q.tokens, q.input_tokens, q.output_tokens
FROM usage_daily AS d CROSS JOIN parts CROSS JOIN usage_quarters AS q
WHERE d.subject_id = ? AND d.subject_type = ? AND d.day BETWEEN ? AND ?
AND q.slot = unixepoch(d.day) / 900 + parts.n AND q.subject_id = d.subject_id
AND q.slot >= ? AND q.slot < ?`

// EachQuarter calls each for every quarter of an hour in which a wallet was used
// and which begins from from on and before to, in no order. It reads roll-ups
// only; their number is bounded by the period, 96 a day.
func (s *Store) EachQuarter(ctx context.Context, subject ledger.Subject, from, to time.Time, each func(ledger.QuarterUsage)) (err error) {
	rows, err := s.reader.QueryContext(ctx, selectQuarters, subject.ID, string(subject.Type),
		from.UTC().Format(time.DateOnly), to.UTC().Format(time.DateOnly), slotFrom(from), slotFrom(to))
	if err != nil {
		return fmt.Errorf("read quarters of an hour: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		quarter := ledger.QuarterUsage{Subject: subject}
		if err := rows.Scan(&quarter.Slot, &quarter.Uses, &quarter.Tokens, &quarter.InputTokens, &quarter.OutputTokens); err != nil {
			return fmt.Errorf("read a quarter of an hour: %w", err)
		}
		each(quarter)
	}
	return rows.Err()
}

// slotFrom is the first slot that begins at or after a moment after 1970.
func slotFrom(t time.Time) int64 {
	seconds := t.Unix()
	if t.Nanosecond() > 0 {
		seconds++
	}
	return (seconds + ledger.QuarterSeconds - 1) / ledger.QuarterSeconds
}
