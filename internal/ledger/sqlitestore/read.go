package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sokuji/internal/ledger"
)

var _ ledger.Reader = (*Store)(nil)

// filter collects conditions and their arguments.
type filter struct {
	conditions []string
	arguments  []any
}

func forSubject(subject ledger.Subject) *filter {
	f := &filter{}
	f.add("subject_id = ?", subject.ID)
	f.add("subject_type = ?", string(subject.Type))
	return f
}

func (f *filter) add(condition string, arguments ...any) {
	f.conditions = append(f.conditions, condition)
	f.arguments = append(f.arguments, arguments...)
}

func (f *filter) text(column, value string) {
	if value != "" {
		f.add(column+" = ?", value)
	}
}

func (f *filter) period(from, to time.Time) {
	if !from.IsZero() {
		f.add("created_at >= ?", formatTime(from))
	}
	if !to.IsZero() {
		f.add("created_at < ?", formatTime(to))
	}
}

func (f *filter) where() string {
	return " WHERE " + strings.Join(f.conditions, " AND ")
}

// Entry finds one entry by its id.
func (s *Store) Entry(ctx context.Context, id string) (ledger.Entry, bool, error) {
	return scanEntry(s.reader.QueryRowContext(ctx, selectEntry, id))
}

// Usage reads a page of a wallet's uses, newest first.
func (s *Store) Usage(ctx context.Context, query ledger.UsageQuery) (ledger.Page[ledger.UsageRow], error) {
	var page ledger.Page[ledger.UsageRow]
	var err error
	if !query.WithoutTotal {
		if page.Total, err = s.usageTotal(ctx, query); err != nil {
			return page, err
		}
	}
	to := query.To
	if query.Before.ID != "" && query.Before.CreatedAt.Before(to) {
		to = time.Time{} // SQLite begins at one bound only
	}
	f := usageFilter(query, to)
	if query.Before.ID != "" {
		f.add("(created_at, id) < (?, ?)", formatTime(query.Before.CreatedAt), query.Before.ID)
	}
	text := `SELECT ` + usageColumns + ` FROM usage_logs` + f.where() + ` ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`
	page.Rows, page.More, err = list(ctx, s.reader, text, append(f.arguments, query.Limit+1, query.Offset), query.Limit, scanUsage)
	return page, err
}

func usageFilter(query ledger.UsageQuery, to time.Time) *filter {
	f := forSubject(query.Subject)
	f.text("model", query.Model)
	f.text("event_type", query.EventType)
	f.period(query.From, to)
	return f
}

// usageTotal counts. The roll-ups know the number of all uses; those from before
// the archives' cutoff are counted as far as they are still in the list, which is
// not at all, but while a run removes them.
func (s *Store) usageTotal(ctx context.Context, query ledger.UsageQuery) (int64, error) {
	if query.Model != "" || query.EventType != "" || !query.From.IsZero() || !query.To.IsZero() {
		return s.countUpTo(ctx, "usage_logs", usageFilter(query, query.To), ledger.MaxCounted)
	}
	all := forSubject(query.Subject)
	text := `SELECT COALESCE(SUM(uses), 0) FROM usage_daily` + all.where()
	arguments := all.arguments
	if cutoff := *s.archiveCutoff.Load(); cutoff != "" {
		old := forSubject(query.Subject)
		old.add("created_at < ?", cutoff)
		all.add("day >= ?", cutoff[:len(time.DateOnly)])
		text = `SELECT (SELECT COALESCE(SUM(uses), 0) FROM usage_daily` + all.where() +
			`) + (SELECT COUNT(*) FROM usage_logs` + old.where() + `)`
		arguments = append(all.arguments, old.arguments...)
	}
	var total int64
	err := s.reader.QueryRowContext(ctx, text, arguments...).Scan(&total)
	return total, err
}

// UsedTokens sums the daily roll-ups.
func (s *Store) UsedTokens(ctx context.Context, subject ledger.Subject, sinceDay string) (int64, error) {
	f := forSubject(subject)
	if sinceDay != "" {
		f.add("day >= ?", sinceDay)
	}
	var sum int64
	err := s.reader.QueryRowContext(ctx, `SELECT COALESCE(SUM(tokens), 0) FROM usage_daily`+f.where(), f.arguments...).Scan(&sum)
	return sum, err
}

func (s *Store) count(ctx context.Context, table string, f *filter) (int64, error) {
	return s.countUpTo(ctx, table, f, -1)
}

// countUpTo stops at a bound; -1 is none.
func (s *Store) countUpTo(ctx context.Context, table string, f *filter, bound int64) (int64, error) {
	var total int64
	text := `SELECT COUNT(*) FROM (SELECT 1 FROM ` + table + f.where() + ` LIMIT ?)`
	err := s.reader.QueryRowContext(ctx, text, append(slices.Clone(f.arguments), bound)...).Scan(&total)
	return total, err
}

// list reads up to limit rows; the text asks for one more, which tells whether
// the list goes on.
func list[T any](ctx context.Context, db *sql.DB, text string, arguments []any, limit int64,
	scan func(row) (T, bool, error)) (found []T, more bool, err error) {
	rows, err := db.QueryContext(ctx, text, arguments...)
	if err != nil {
		return nil, false, fmt.Errorf("list: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if int64(len(found)) == limit {
			return found, true, nil
		}
		one, _, err := scan(rows)
		if err != nil {
			return nil, false, err
		}
		found = append(found, one)
	}
	return found, false, rows.Err()
}
