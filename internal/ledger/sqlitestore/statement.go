package sqlitestore

import (
	"context"

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
