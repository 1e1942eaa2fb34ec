package verify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"sokuji/internal/ledger"
)

// Point is where a chain stands after some of its entries; the zero value stands
// before the first.
type Point struct {
	Balance int64
	Seq     int64
	Hash    ledger.Hash
}

// History is what one wallet did in a period: everything from its first entry
// created at or after the beginning to the last before the first one created at
// or after the end. A clock that was set back cannot tear a hole into it. It is
// only valid inside the function that ReadHistory calls.
type History struct {
	Opening Point
	snapshot
	subject ledger.Subject
	to      string
}

// ErrNoWallet says that there is no such wallet in the books.
var ErrNoWallet = errors.New("there is no such wallet")

const (
	hasWallet = `SELECT 1 FROM wallets WHERE id = ? AND subject_type = ?`

	// The last entry before the first of the period, or of all when none is in it.
	openingOf = `SELECT balance_after, seq, hash FROM wallet_ledger
WHERE subject_id = ?1 AND subject_type = ?2 AND seq < COALESCE(
	(SELECT MIN(seq) FROM wallet_ledger WHERE subject_id = ?1 AND subject_type = ?2 AND created_at >= ?3),
	9223372036854775807)
ORDER BY seq DESC LIMIT 1`

	entriesAfter = `SELECT ` + entryColumns + ` FROM wallet_ledger
WHERE subject_id = ? AND subject_type = ? AND seq > ? ORDER BY seq`
)

// ReadHistory calls a function with the history of one wallet, in one snapshot.
// Zero times leave the period open.
func ReadHistory(ctx context.Context, db *sql.DB, subject ledger.Subject, from, to time.Time, use func(History) error) error {
	return view(ctx, db, func(s snapshot) error {
		if _, err := s.tables(); err != nil {
			return err
		}
		found, err := s.number(hasWallet, subject.ID, string(subject.Type))
		if err != nil {
			return err
		}
		if found == 0 {
			return ErrNoWallet
		}
		h := History{snapshot: s, subject: subject, to: storedTime(to)}
		if !from.IsZero() {
			if h.Opening, err = s.opening(subject, storedTime(from)); err != nil {
				return err
			}
		}
		return use(h)
	})
}

// PointAt is where the chain of a wallet stands behind the entry with a seq. Where
// there is no such entry, it is the zero value.
func PointAt(ctx context.Context, db *sql.DB, subject ledger.Subject, seq int64) (point Point, err error) {
	err = view(ctx, db, func(s snapshot) error {
		if _, err := s.tables(); err != nil {
			return err
		}
		return s.each(func(c *cells) error {
			at := readLink(c)
			point = Point{Balance: at.balance, Seq: at.seq, Hash: at.hash}
			return nil
		}, entryAt, subject.ID, seq, string(subject.Type))
	})
	return point, err
}

func storedTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeLayout)
}

func (s snapshot) opening(subject ledger.Subject, from string) (point Point, err error) {
	err = s.each(func(c *cells) error {
		point.Balance, point.Seq, point.Hash = c.integer(), c.integer(), c.hash(false)
		if c.problem != "" {
			return fmt.Errorf("the last entry before the period: %s: run the verification", c.problem)
		}
		return nil
	}, openingOf, subject.ID, string(subject.Type), from)
	return point, err
}

// Entries reads the period's entries one by one, oldest first.
func (h History) Entries() iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		err := h.each(func(c *cells) error {
			row := readEntry(c)
			if row.problem != "" {
				return fmt.Errorf("entry %s: %s: run the verification", row.name(), row.problem)
			}
			if h.to != "" && row.created >= h.to || !yield(row.Entry, nil) {
				return errEnough
			}
			return nil
		}, entriesAfter, h.subject.ID, string(h.subject.Type), h.Opening.Seq)
		if err != nil && !errors.Is(err, errEnough) {
			yield(ledger.Entry{}, err)
		}
	}
}

// errEnough ends a query whose other rows are not wanted.
var errEnough = errors.New("enough")
