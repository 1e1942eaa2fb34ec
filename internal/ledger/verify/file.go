package verify

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sokuji/internal/ledger"
)

// Options of a verification. All may be left out.
type Options struct {
	// Checkpoint is one that was taken of these books earlier.
	Checkpoint *Checkpoint
	// Now is the time of the verification; zero is that of the clock.
	Now time.Time
	// Progress is told how many rows are done, of about how many. It is called from
	// the goroutine that verifies, at least every progressRows.
	Progress func(done, total int64)
}

// progressRows is how many rows are read between two calls of Progress.
const progressRows = 4_096

// File verifies all of the books in one snapshot. Its error means that they could
// not be read; the report then holds what was found before.
func File(ctx context.Context, db *sql.DB, options Options) (Report, error) {
	a := &audit{options: options, keys: newFingerprints(), wallets: make(map[ledger.Subject]*chain)}
	err := view(ctx, db, func(s snapshot) error {
		a.snapshot = s
		return a.run()
	})
	return a.report, err
}

// audit is one run. Its steps hand on to later ones what they have seen of the
// tables, in memory that grows with wallets and grants, but not with entries.
type audit struct {
	snapshot
	options Options
	report  Report
	keys    fingerprints

	wallets  map[ledger.Subject]*chain
	held     map[ledger.Subject]int64 // by open holds
	spent    map[string]*keySums      // by key
	expiring map[ledger.Subject]int64 // by live grants
	reversed map[string]int64         // tokens of mints that were refunded, by entry
	cutoff   string                   // usage rows from before may be archived; empty: none is
	archived archived
	frozen   map[ledger.Subject]string // why, as the audit log has it
	// seen are sums over the entries, to be compared with those of other tables.
	seen entrySums

	done, total int64
}

func (a *audit) run() error {
	present, err := a.tables()
	if err != nil {
		return err
	}
	if present[archivesTable] {
		if err := a.readArchives(); err != nil {
			return fmt.Errorf("read %s: %w", archivesTable, err)
		}
	}
	if err := a.count(); err != nil {
		return err
	}
	for _, step := range []struct {
		table string
		check func() error
	}{
		{"wallet_ledger", a.checkEntries},
		{"wallet_ledger", a.checkRefunds},
		{spendingTable, a.readSpending},
		{"wallet_holds", a.checkHolds},
		{"wallet_grants", a.checkGrants},
		{auditTable, a.checkFreezes},
		{"wallets", a.checkWallets},
		{"usage_logs", a.checkUsage},
		{spendingTable, a.checkSpending},
		{"usage_daily", a.checkDaily},
		{"usage_quarters", a.checkQuarters},
		{"wallet_requests", a.checkRequests},
	} {
		if err := step.check(); err != nil {
			return fmt.Errorf("read %s: %w", step.table, err)
		}
	}
	a.progress(true)
	return nil
}

// count sums the rows of the large tables, as far as that costs nothing.
func (a *audit) count() error {
	for _, table := range []string{"wallet_ledger", "wallet_holds", "wallets", "usage_logs", "usage_daily"} {
		rows, err := a.number(`SELECT MAX(rowid) FROM ` + table)
		if err != nil {
			return fmt.Errorf("read %s: %w", table, err)
		}
		a.total += max(0, rows)
	}
	return nil
}

// step counts a row.
func (a *audit) step() {
	a.done++
	if a.done%progressRows == 0 {
		a.progress(false)
	}
}

func (a *audit) progress(isEnd bool) {
	if a.options.Progress == nil {
		return
	}
	if isEnd {
		a.done = max(a.done, a.total)
	}
	a.options.Progress(min(a.done, max(a.total, 1)), max(a.total, 1))
}
