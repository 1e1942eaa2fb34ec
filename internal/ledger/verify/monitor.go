package verify

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"sokuji/internal/ledger"
)

// Bounds of one call of Check, in rows.
const (
	// monitorRows is how many entries are verified.
	monitorRows = 5_000
	// monitorWallets is how many wallets are held against their grants, in turn.
	monitorWallets = 20_000
	// monitorFindings is how many findings are returned.
	monitorFindings = 20
)

// Monitor verifies what a running server adds to its books. It keeps its place in
// memory and begins with the last few thousand entries. The zero value is ready;
// it may be shared by goroutines.
type Monitor struct {
	mutex    sync.Mutex
	started  bool
	newest   place
	walletAt int64 // the rowid of the last wallet whose turn it was
}

// place is the last entry that was verified.
type place struct {
	rowid int64
	id    string
	hash  ledger.Hash
}

// Check verifies, in one snapshot, the next entries after those of the last call,
// whether the wallets they belong to agree with them, and what wallets say of
// their holds and grants. It does not go past an entry with a finding, so that the
// next call finds it again. It costs the same however large the books are.
func (m *Monitor) Check(ctx context.Context, db *sql.DB) (found []Finding, err error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	err = view(ctx, db, func(s snapshot) error {
		run := monitorRun{snapshot: s, monitor: m, touched: make(map[ledger.Subject]int64), followed: make(map[ledger.Subject]link)}
		if err := run.check(); err != nil {
			return err
		}
		found = run.report.Findings[:min(len(run.report.Findings), monitorFindings)]
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("verify the newest entries: %w", err)
	}
	return found, nil
}

// monitorRun is one call of Check.
type monitorRun struct {
	snapshot
	monitor *Monitor
	report  Report

	touched  map[ledger.Subject]int64 // the rowid of the first entry that was read of each wallet
	order    []ledger.Subject         // of touched
	followed map[ledger.Subject]link  // the newest entry that was read of each wallet
	places   []place                  // the entries that were read
	stopAt   int64                    // the rowid of the first entry that must be read again, 0 for none
}

// link is where a chain stands.
type link struct {
	seq, balance int64
	hash         ledger.Hash
}

func (r *monitorRun) check() error {
	if err := r.start(); err != nil {
		return err
	}
	if gone, err := r.isPlaceGone(); err != nil || gone {
		return err
	}
	if err := r.checkNewEntries(); err != nil {
		return err
	}
	held, err := r.openHolds()
	if err != nil {
		return err
	}
	for _, subject := range r.order {
		if err := r.checkTouched(subject, held); err != nil {
			return err
		}
	}
	if err := r.checkHolders(held); err != nil {
		return err
	}
	if err := r.checkTurn(held); err != nil {
		return err
	}
	r.advance()
	return nil
}

// start places the first call shortly before the end.
func (r *monitorRun) start() error {
	if r.monitor.started {
		return nil
	}
	last, err := r.number(`SELECT MAX(rowid) FROM wallet_ledger`)
	if err != nil {
		return err
	}
	r.monitor.newest = place{rowid: max(0, last-monitorRows)}
	r.monitor.started = true
	return nil
}

const placeOf = `SELECT id, hash FROM wallet_ledger WHERE rowid = ?`

// isPlaceGone tells whether the entry that was verified last is not what it was.
func (r *monitorRun) isPlaceGone() (bool, error) {
	newest := r.monitor.newest
	if newest.id == "" {
		return false, nil
	}
	intact := false
	err := r.each(func(c *cells) error {
		intact = c.maybeText() == newest.id && c.maybeText() == newest.hash.String()
		return nil
	}, placeOf, newest.rowid)
	if err == nil && !intact {
		r.report.find("wallet_ledger", newest.id, "it was there and verified before, and is gone or changed")
	}
	return !intact, err
}

const newEntries = `SELECT ` + entryColumns + ` FROM wallet_ledger NOT INDEXED WHERE rowid > ? ORDER BY rowid LIMIT ?`

func (r *monitorRun) checkNewEntries() error {
	var rows []entryRow // the bound is small, and looking back needs the connection
	err := r.each(func(c *cells) error {
		rows = append(rows, readEntry(c))
		return nil
	}, newEntries, r.monitor.newest.rowid, monitorRows)
	if err != nil {
		return err
	}
	for _, row := range rows {
		problem, err := r.problemOf(row)
		if err != nil {
			return err
		}
		if problem != "" {
			r.report.find("wallet_ledger", row.name(), "%s", problem)
			r.stop(row.rowid)
		}
		r.places = append(r.places, place{row.rowid, row.ID, row.Hash})
	}
	return nil
}

// problemOf holds a row against itself and the one before it in its wallet.
func (r *monitorRun) problemOf(row entryRow) (string, error) {
	if row.problem != "" {
		return row.problem, nil
	}
	before, err := r.before(row.Entry)
	if err != nil {
		return "", err
	}
	if _, known := r.touched[row.Subject]; !known {
		r.touched[row.Subject] = row.rowid
		r.order = append(r.order, row.Subject)
	}
	r.followed[row.Subject] = link{row.Seq, row.BalanceAfter, row.Hash}
	c := chain{seq: before.seq, balance: before.balance, head: before.hash}
	return c.follow(row.Entry), nil
}

const entryAt = `SELECT seq, balance_after, hash FROM wallet_ledger WHERE subject_id = ? AND seq = ? AND subject_type = ?`

// before is the entry that this one should follow; the zero value when there is
// none.
func (r *monitorRun) before(e ledger.Entry) (link, error) {
	if known, ok := r.followed[e.Subject]; ok {
		return known, nil
	}
	var found link
	if e.Seq == 1 {
		return found, nil
	}
	err := r.each(func(c *cells) error {
		found = readLink(c)
		return nil
	}, entryAt, e.Subject.ID, e.Seq-1, string(e.Subject.Type))
	return found, err
}

func readLink(c *cells) link {
	seq, balance := c.integer(), c.integer()
	return link{seq, balance, c.hash(true)}
}

// stop keeps the next call from going past an entry.
func (r *monitorRun) stop(rowid int64) {
	if r.stopAt == 0 || rowid < r.stopAt {
		r.stopAt = rowid
	}
}

// advance moves to the last entry before the first that must be read again.
func (r *monitorRun) advance() {
	for _, p := range r.places {
		if r.stopAt != 0 && p.rowid >= r.stopAt {
			return
		}
		r.monitor.newest = p
	}
}
