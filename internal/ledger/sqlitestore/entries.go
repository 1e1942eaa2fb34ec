package sqlitestore

import (
	"context"
	"math"
	"time"

	"sokuji/internal/ledger"
)

const (
	// otherEntries are all but the uses. They have an index of their own, which costs
	// no use anything; its condition must stand in the query as it is.
	otherEntries = `wallet_ledger INDEXED BY idx_wallet_ledger_others`
	isOther      = `event_type != 'use'`
)

// entryList is what a query selects of a wallet's ledger.
type entryList struct {
	ledger.EntryQuery
	newest int64  // the wallet's seq
	period span   // of EntryQuery
	zones  []zone // nil when the period is open at both ends
}

func (s *Store) entryList(ctx context.Context, query ledger.EntryQuery) (entryList, error) {
	l := entryList{EntryQuery: query, period: spanOf(query.From, query.To)}
	if query.WithoutTotal && !l.hasPeriod() {
		return l, nil
	}
	wallet, _, err := s.Wallet(ctx, query.Subject)
	l.newest = wallet.Seq
	if err != nil || !l.hasPeriod() {
		return l, err
	}
	l.zones, err = s.zones(ctx, query.Subject, l.newest)
	return l, err
}

func (l entryList) hasPeriod() bool { return !l.From.IsZero() || !l.To.IsZero() }

// filter selects what the query does below a seq, but for the kind of entry. SQLite
// begins at one bound only, so there is one.
func (l entryList) filter(below int64) *filter {
	f := forSubject(l.Subject)
	if !l.hasPeriod() {
		f.add("seq < ?", below)
		return f
	}
	within := l.period.within(l.zones, l.newest)
	f.add("seq BETWEEN ? AND ?", within.first, min(within.last, below-1))
	f.period(l.From, l.To)
	return f
}

// ofKind adds the kind of entry, and returns what to read from.
func (f *filter) ofKind(event ledger.EventType) (table string) {
	f.text("event_type", string(event))
	if event == "" || event == ledger.EventUse {
		return "wallet_ledger"
	}
	f.add(isOther)
	return otherEntries
}

// Entries reads a page of a wallet's ledger, newest first.
func (s *Store) Entries(ctx context.Context, query ledger.EntryQuery) (page ledger.Page[ledger.Entry], err error) {
	l, err := s.entryList(ctx, query)
	if err != nil {
		return page, err
	}
	if !query.WithoutTotal {
		if page.Total, err = s.entryTotal(ctx, l); err != nil {
			return page, err
		}
	}
	below := query.BeforeSeq
	if below <= 0 {
		below = math.MaxInt64
	}
	f := l.filter(below)
	table := f.ofKind(query.EventType)
	text := `SELECT ` + entryColumns + ` FROM ` + table + f.where() + ` ORDER BY seq DESC LIMIT ? OFFSET ?`
	page.Rows, page.More, err = list(ctx, s.reader, text, append(f.arguments, query.Limit+1, query.Offset), query.Limit, scanEntry)
	return page, err
}

// entryTotal counts without reading what it counts, as far as that can be: a wallet
// knows how many entries it has, a zone that lies in the period too, and uses are
// what is left without the others.
func (s *Store) entryTotal(ctx context.Context, l entryList) (total int64, err error) {
	var others int64
	if l.EventType != "" {
		f := l.filter(l.newest + 1) // what came since is not in newest either
		if l.EventType != ledger.EventUse {
			f.text("event_type", string(l.EventType))
		}
		f.add(isOther)
		if others, err = s.count(ctx, otherEntries, f); err != nil || l.EventType != ledger.EventUse {
			return others, err
		}
	}
	if !l.hasPeriod() {
		return l.newest - others, nil
	}
	for i, z := range l.zones {
		of := zonesOf(i, l.newest)
		switch {
		case l.period.covers(z):
			total += of.last - of.first + 1
		case l.period.touches(z):
			f := forSubject(l.Subject)
			f.add("seq BETWEEN ? AND ?", of.first, of.last)
			f.period(l.From, l.To)
			some, err := s.count(ctx, "wallet_ledger", f)
			if err != nil {
				return 0, err
			}
			total += some
		}
	}
	return total - others, nil
}

const selectFirstAt = `SELECT COALESCE(MIN(seq), 0) FROM wallet_ledger
WHERE subject_id = ? AND subject_type = ? AND seq BETWEEN ? AND ? AND created_at >= ?`

// SeqBefore returns the seq of the last entry, of the first newest, before the
// first one that was created at or after an instant; 0 when there is none. That is
// where every period begins and ends, so periods meet whatever the clock did.
func (s *Store) SeqBefore(ctx context.Context, subject ledger.Subject, newest int64, at time.Time) (int64, error) {
	zones, err := s.zones(ctx, subject, newest)
	if err != nil {
		return 0, err
	}
	for i, z := range zones {
		if z.latest < at.UnixMilli() {
			continue
		}
		of := zonesOf(i, newest)
		var first int64
		err := s.reader.QueryRowContext(ctx, selectFirstAt, subject.ID, string(subject.Type), of.first, of.last, formatTime(at)).Scan(&first)
		return first - 1, err
	}
	return newest, nil
}
