package sqlitestore

import (
	"context"
	"fmt"
	"sort"
	"time"

	"sokuji/internal/ledger"
)

const selectEntryAt = `SELECT ` + entryColumns + ` FROM wallet_ledger WHERE subject_id = ? AND seq = ? AND subject_type = ?`

const selectEntriesAfter = `SELECT ` + entryColumns + ` FROM wallet_ledger
WHERE subject_id = ? AND subject_type = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`

// EntryAt finds an entry of a wallet by its seq.
func (s *Store) EntryAt(ctx context.Context, subject ledger.Subject, seq int64) (ledger.Entry, bool, error) {
	return scanEntry(s.reader.QueryRowContext(ctx, selectEntryAt, subject.ID, seq, string(subject.Type)))
}

// EntriesAfter reads up to limit entries of a wallet, oldest first, after one seq
// and up to another.
func (s *Store) EntriesAfter(ctx context.Context, subject ledger.Subject, after, upTo, limit int64) ([]ledger.Entry, error) {
	rows, err := s.reader.QueryContext(ctx, selectEntriesAfter, subject.ID, string(subject.Type), after, upTo, limit)
	return scanAll(rows, err, scanEntry)
}

// SeqBefore returns the seq of the last entry, of the first newest, that was
// created before an instant; 0 when there is none. It looks at few of them: time
// goes along with seq, and where a clock was set back either side will do.
func (s *Store) SeqBefore(ctx context.Context, subject ledger.Subject, newest int64, at time.Time) (seq int64, err error) {
	found := sort.Search(int(newest), func(i int) bool {
		if err != nil {
			return false
		}
		entry, ok, failure := s.EntryAt(ctx, subject, int64(i)+1)
		if err = failure; err == nil && !ok {
			err = fmt.Errorf("entry %d of %s is missing", i+1, subject.ID)
		}
		return !entry.CreatedAt.Before(at)
	})
	return int64(found), err
}
