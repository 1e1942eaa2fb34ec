package verify

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"sokuji/internal/ledger"
)

// Bounds of Check, in rows.
const (
	// monitorRows is how many entries are verified in one snapshot.
	monitorRows = 5_000
	// monitorWallets is how many wallets are held against their grants, in turn.
	monitorWallets = 20_000
	// monitorKeys is how many API keys are held against themselves, in turn.
	monitorKeys = 20_000
	// monitorFindings is how many findings are returned.
	monitorFindings = 20
)

// Monitor verifies what a running server adds to its books. It keeps its place in
// memory, and begins where GoOnFrom says or else with the last few thousand
// entries. The zero value is ready; it may be shared by goroutines.
type Monitor struct {
	mutex    sync.Mutex
	started  bool
	from     Mark
	newest   place
	walletAt int64  // the rowid of the last wallet whose turn it was
	keyAt    string // the key whose turn was last
}

// Mark names the last entry that was verified; the zero value none.
type Mark struct{ ID, Hash string }

// Checked is what came of a Check.
type Checked struct {
	Findings []Finding
	Behind   int64 // entries that are there and not verified yet
}

// GoOnFrom lets the first check begin behind an entry that an earlier process has
// verified, and that must still be what it was.
func (m *Monitor) GoOnFrom(mark Mark) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.from = mark
}

// Mark is how far the checks have come.
func (m *Monitor) Mark() Mark {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.newest.Mark
}

// place is the last entry that was verified.
type place struct {
	rowid int64
	Mark
}

// Check verifies the next entries after those of the last call, whether the
// wallets they belong to agree with them, and what wallets and keys say of their
// holds and grants. It does not go past an entry with a finding, so that the next
// call finds it again.
//
// It goes on in steps until it has caught up or its patience is over. A step is a
// snapshot of its own, costs the same however large the books are, and is followed
// by a pause of the same length, which belongs to the server.
func (m *Monitor) Check(ctx context.Context, db *sql.DB, patience time.Duration) (Checked, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	end := time.Now().Add(patience)
	for isFirst := true; ; isFirst = false {
		begin := time.Now()
		checked, err := m.step(ctx, db, isFirst)
		if err != nil {
			return Checked{}, fmt.Errorf("verify the newest entries: %w", err)
		}
		pause := time.Since(begin)
		if checked.Behind == 0 || len(checked.Findings) > 0 || time.Now().Add(pause).After(end) {
			return checked, nil
		}
		select {
		case <-ctx.Done():
			return Checked{}, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// step verifies one page of entries, and the first one also what has its turn.
func (m *Monitor) step(ctx context.Context, db *sql.DB, withTurns bool) (checked Checked, err error) {
	err = view(ctx, db, func(s snapshot) error {
		run := monitorRun{snapshot: s, monitor: m, touched: make(map[ledger.Subject]int64), followed: make(map[ledger.Subject]link)}
		if err := run.check(withTurns); err != nil {
			return err
		}
		last, err := s.number(lastEntry)
		checked.Findings = run.report.Findings[:min(len(run.report.Findings), monitorFindings)]
		checked.Behind = max(0, last-m.newest.rowid)
		return err
	})
	return checked, err
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

func (r *monitorRun) check(withTurns bool) error {
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
	if withTurns {
		if err := r.checkTurns(held); err != nil {
			return err
		}
	}
	r.advance()
	return nil
}

// checkTurns looks at what need not have a new entry to be wrong.
func (r *monitorRun) checkTurns(held map[ledger.Subject]int64) error {
	if err := r.checkHolders(held); err != nil {
		return err
	}
	if err := r.checkTurn(held); err != nil {
		return err
	}
	return r.checkKeys()
}

const (
	lastEntry = `SELECT MAX(rowid) FROM wallet_ledger`
	rowOf     = `SELECT rowid FROM wallet_ledger WHERE id = ?`
)

// start places the first call behind the mark, or shortly before the end.
func (r *monitorRun) start() error {
	if r.monitor.started {
		return nil
	}
	at := place{Mark: r.monitor.from}
	var err error
	if at.ID != "" {
		at.rowid, err = r.number(rowOf, at.ID) // 0 is no entry's, so one that is gone is missed
	} else {
		at.rowid, err = r.number(lastEntry)
		at.rowid = max(0, at.rowid-monitorRows)
	}
	if err != nil {
		return err
	}
	r.monitor.newest, r.monitor.started = at, true
	return nil
}

const placeOf = `SELECT id, hash FROM wallet_ledger WHERE rowid = ?`

// isPlaceGone tells whether the entry that was verified last is not what it was.
func (r *monitorRun) isPlaceGone() (bool, error) {
	newest := r.monitor.newest
	if newest.ID == "" {
		return false, nil
	}
	intact := false
	err := r.each(func(c *cells) error {
		intact = c.maybeText() == newest.ID && c.maybeText() == newest.Hash
		return nil
	}, placeOf, newest.rowid)
	if err == nil && !intact {
		r.report.find("wallet_ledger", newest.ID, "it was there and verified before, and is gone or changed")
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
		r.places = append(r.places, place{row.rowid, Mark{row.ID, row.Hash.String()}})
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
