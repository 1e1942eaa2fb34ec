package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"reflect"
	"testing"

	_ "modernc.org/sqlite"
)

// books is one consistent view of the money tables, read from the disk.
type books struct {
	chains   map[string][]entryRow // by subject id, oldest first
	entries  map[string]entryRow   // by id
	wallets  map[string]walletRow  // by subject id
	usage    []usageRow
	daily    map[dayKey]dayRow
	requests []requestRow
	audited  map[string]int // audit rows by id
	holds    map[string]holdRow
	grants   map[string]grantRow
	moves    []moveRow
}

type walletRow struct {
	balance, held, expiring, seq int64
	head                         string
}

type holdRow struct {
	subjectID, state, reference string
	amount                      int64
	expiresAt, ledgerID         string
}

type grantRow struct {
	subjectID, state           string
	amount, remaining, expired int64
}

// moveRow is what an entry gave to a grant, or took from it.
type moveRow struct {
	ledgerID, grantID string
	tokens            int64
}

type usageRow struct {
	id, ledgerID, subjectID string
	charged                 int64
}

type dayKey struct{ subjectID, day string }

type dayRow struct{ uses, tokens int64 }

type requestRow struct {
	subjectID, kind, key, entryID string
	balance                       int64
}

// openDatabase opens data.db beside whoever else has it open, to read only.
func openDatabase(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", databaseAddress(dir)+"?mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func databaseAddress(dir string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(dir, "data.db"))}).String()
}

// auditBooks reads the books of a data folder and fails the test for everything
// in them that does not add up.
func auditBooks(t *testing.T, dir string) *books {
	t.Helper()
	db := openDatabase(t, dir)
	defer db.Close()
	b, err := readBooks(bounded(t), db)
	if err != nil {
		t.Fatalf("read the books: %v", err)
	}
	for _, check := range []func() error{
		b.checkWallets, b.checkUsage, b.checkDaily, b.checkRequests, b.checkRefunds, b.checkAudit,
		b.checkHolds, b.checkGrants,
		func() error { return checkIntegrity(bounded(t), db) },
	} {
		if err := check(); err != nil {
			t.Error(err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return b
}

func readBooks(ctx context.Context, db *sql.DB) (*books, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}) // one snapshot for all tables
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	b := &books{
		chains: map[string][]entryRow{}, entries: map[string]entryRow{}, wallets: map[string]walletRow{},
		daily: map[dayKey]dayRow{}, audited: map[string]int{},
		holds: map[string]holdRow{}, grants: map[string]grantRow{},
	}
	for _, read := range []struct {
		query string
		row   func(scan func(...any) error) error
	}{
		{`SELECT id, subject_type, subject_id, seq, amount_tokens, balance_after, event_type, reference_type, reference_id,
			plan_id, external_event_id, idempotency_key, request_hash, description, COALESCE(metadata, ''), created_at,
			prev_hash, hash FROM wallet_ledger ORDER BY subject_id, seq`, b.addEntry},
		{`SELECT subject_id, balance_tokens, held_tokens, expiring_tokens, seq, head_hash FROM wallets`, b.addWallet},
		{`SELECT id, ledger_id, subject_id, charged_tokens FROM usage_logs`, b.addUsage},
		{`SELECT subject_id, day, uses, tokens FROM usage_daily`, b.addDay},
		{`SELECT subject_id, kind, idempotency_key, entry_id, balance FROM wallet_requests`, b.addRequest},
		{`SELECT id FROM audit_log`, b.addAudit},
		{`SELECT id, subject_id, state, reference, amount_tokens, expires_at, ledger_id FROM wallet_holds`, b.addHold},
		{`SELECT id, subject_id, state, amount_tokens, remaining_tokens, expired_tokens FROM wallet_grants`, b.addGrant},
		{`SELECT ledger_id, grant_id, tokens FROM wallet_grant_moves`, b.addMove},
	} {
		if err := eachRow(ctx, tx, read.query, read.row); err != nil {
			return nil, fmt.Errorf("%s: %w", read.query, err)
		}
	}
	return b, nil
}

func eachRow(ctx context.Context, tx *sql.Tx, query string, row func(scan func(...any) error) error) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (b *books) addEntry(scan func(...any) error) error {
	var r entryRow
	err := scan(&r.id, &r.subjectType, &r.subjectID, &r.seq, &r.amount, &r.balanceAfter, &r.eventType, &r.referenceType,
		&r.referenceID, &r.planID, &r.externalEventID, &r.idempotencyKey, &r.requestHash, &r.description, &r.metadata,
		&r.createdAt, &r.prevHash, &r.hash)
	b.chains[r.subjectID] = append(b.chains[r.subjectID], r)
	b.entries[r.id] = r
	return err
}

func (b *books) addWallet(scan func(...any) error) error {
	var id string
	var r walletRow
	err := scan(&id, &r.balance, &r.held, &r.expiring, &r.seq, &r.head)
	b.wallets[id] = r
	return err
}

func (b *books) addUsage(scan func(...any) error) error {
	var r usageRow
	err := scan(&r.id, &r.ledgerID, &r.subjectID, &r.charged)
	b.usage = append(b.usage, r)
	return err
}

func (b *books) addDay(scan func(...any) error) error {
	var key dayKey
	var r dayRow
	err := scan(&key.subjectID, &key.day, &r.uses, &r.tokens)
	b.daily[key] = r
	return err
}

func (b *books) addRequest(scan func(...any) error) error {
	var r requestRow
	err := scan(&r.subjectID, &r.kind, &r.key, &r.entryID, &r.balance)
	b.requests = append(b.requests, r)
	return err
}

func (b *books) addAudit(scan func(...any) error) error {
	var id string
	err := scan(&id)
	b.audited[id]++
	return err
}

func (b *books) addHold(scan func(...any) error) error {
	var id string
	var r holdRow
	err := scan(&id, &r.subjectID, &r.state, &r.reference, &r.amount, &r.expiresAt, &r.ledgerID)
	b.holds[id] = r
	return err
}

func (b *books) addGrant(scan func(...any) error) error {
	var id string
	var r grantRow
	err := scan(&id, &r.subjectID, &r.state, &r.amount, &r.remaining, &r.expired)
	b.grants[id] = r
	return err
}

func (b *books) addMove(scan func(...any) error) error {
	var r moveRow
	err := scan(&r.ledgerID, &r.grantID, &r.tokens)
	b.moves = append(b.moves, r)
	return err
}

// checkWallets: a wallet is what its chain, its open holds and its live grants
// lead to, and no chain is without one.
func (b *books) checkWallets() error {
	var errs []error
	held, expiring := map[string]int64{}, map[string]int64{}
	for _, hold := range b.holds {
		if hold.state == "open" {
			held[hold.subjectID] += hold.amount
		}
	}
	for _, grant := range b.grants {
		expiring[grant.subjectID] += grant.remaining
	}
	for id, wallet := range b.wallets {
		chain := b.chains[id]
		balance, head, err := checkChain(chain)
		errs = append(errs, err)
		want := walletRow{balance: balance, held: held[id], expiring: expiring[id], seq: int64(len(chain)), head: head}
		if wallet != want {
			errs = append(errs, fmt.Errorf("wallet %s is %+v, its chain, holds and grants lead to %+v", id, wallet, want))
		}
	}
	for id := range b.chains {
		if _, ok := b.wallets[id]; !ok {
			errs = append(errs, fmt.Errorf("there are entries of %s and no wallet", id))
		}
	}
	return errors.Join(errs...)
}

// checkUsage: every use has one usage row, and every usage row its use.
func (b *books) checkUsage() error {
	var errs []error
	paid := map[string]bool{}
	for _, row := range b.usage {
		entry, ok := b.entries[row.ledgerID]
		if !ok || entry.eventType != "use" || entry.subjectID != row.subjectID || -entry.amount != row.charged {
			errs = append(errs, fmt.Errorf("usage row %+v does not belong to the entry %+v", row, entry))
		}
		if paid[row.ledgerID] {
			errs = append(errs, fmt.Errorf("entry %s has two usage rows", row.ledgerID))
		}
		paid[row.ledgerID] = true
	}
	for _, entry := range b.entries {
		if entry.eventType == "use" && !paid[entry.id] {
			errs = append(errs, fmt.Errorf("the use %s has no usage row", entry.id))
		}
	}
	return errors.Join(errs...)
}

// checkDaily: the roll-ups are the sums of the uses by UTC day, no more, no less.
func (b *books) checkDaily() error {
	want := map[dayKey]dayRow{}
	for _, entry := range b.entries {
		if entry.eventType != "use" {
			continue
		}
		key := dayKey{entry.subjectID, entry.createdAt[:len("2006-01-02")]}
		sum := want[key]
		want[key] = dayRow{sum.uses + 1, sum.tokens - entry.amount}
	}
	if !reflect.DeepEqual(b.daily, want) {
		return fmt.Errorf("usage_daily is %v, the uses sum up to %v", b.daily, want)
	}
	return nil
}

// checkRequests: every remembered request of one entry has it, with the key on it;
// those without an entry name none; and every entry with a key is remembered.
func (b *books) checkRequests() error {
	var errs []error
	remembered := map[string]bool{}
	for _, request := range b.requests {
		eventType, hasEntry := map[string]string{
			"mint": "mint", "use": "use", "settle": "use", "refund": "refund", "adjust": "adjust",
		}[request.kind]
		if !hasEntry {
			if request.entryID != "" {
				errs = append(errs, fmt.Errorf("the request %+v names an entry, which its kind does not make", request))
			}
			continue
		}
		entry, ok := b.entries[request.entryID]
		if !ok || entry.subjectID != request.subjectID || entry.eventType != eventType ||
			entry.idempotencyKey != request.key || entry.balanceAfter != request.balance {
			errs = append(errs, fmt.Errorf("the request %+v does not belong to the entry %+v", request, entry))
		}
		remembered[request.entryID] = true
	}
	for _, entry := range b.entries {
		if entry.idempotencyKey != "" && !remembered[entry.id] {
			errs = append(errs, fmt.Errorf("the request of entry %s (key %s) is not remembered", entry.id, entry.idempotencyKey))
		}
	}
	return errors.Join(errs...)
}

// checkHolds: a settled hold has its one entry, no other hold has one, and no
// entry settles a hold that does not know of it.
func (b *books) checkHolds() error {
	var errs []error
	for id, hold := range b.holds {
		if (hold.state == "settled") != (hold.ledgerID != "") {
			errs = append(errs, fmt.Errorf("hold %s is %+v", id, hold))
		}
		if hold.ledgerID == "" {
			continue
		}
		if entry := b.entries[hold.ledgerID]; entry.referenceType != "hold" || entry.referenceID != id || entry.subjectID != hold.subjectID {
			errs = append(errs, fmt.Errorf("hold %s %+v was settled by the entry %+v", id, hold, entry))
		}
	}
	for id, entry := range b.entries {
		if entry.referenceType == "hold" && b.holds[entry.referenceID].ledgerID != id {
			errs = append(errs, fmt.Errorf("the entry %+v settles the hold %+v", entry, b.holds[entry.referenceID]))
		}
	}
	return errors.Join(errs...)
}

// checkGrants: what is left of a grant is the sum of its moves, one that is over
// has nothing left, and what expired of it was taken back by entries that say so.
func (b *books) checkGrants() error {
	var errs []error
	moved, expired := map[string]int64{}, map[string]int64{}
	for _, move := range b.moves {
		moved[move.grantID] += move.tokens
		if _, ok := b.entries[move.ledgerID]; !ok {
			errs = append(errs, fmt.Errorf("the move %+v has no entry", move))
		}
	}
	for _, entry := range b.entries {
		if entry.referenceType == "grant" {
			expired[entry.referenceID] -= entry.amount
		}
	}
	for id, grant := range b.grants {
		if moved[id] != grant.remaining || expired[id] != grant.expired || grant.remaining < 0 || grant.remaining > grant.amount ||
			(grant.state == "expired" && grant.remaining != 0) {
			errs = append(errs, fmt.Errorf("grant %s is %+v, %d of its tokens moved and %d were taken back", id, grant, moved[id], expired[id]))
		}
		if entry := b.entries[id]; entry.eventType != "mint" || entry.amount != grant.amount {
			errs = append(errs, fmt.Errorf("grant %s %+v was made by the entry %+v", id, grant, entry))
		}
		delete(moved, id)
		delete(expired, id)
	}
	if len(moved)+len(expired) > 0 {
		errs = append(errs, fmt.Errorf("moves %v and expiries %v are of no grant", moved, expired))
	}
	return errors.Join(errs...)
}

// checkRefunds: a refund reverses an entry of its wallet, and all of them
// together never more than there was.
func (b *books) checkRefunds() error {
	var errs []error
	reversed := map[string]int64{}
	for _, entry := range b.entries {
		if entry.eventType != "refund" {
			continue
		}
		original, ok := b.entries[entry.referenceID]
		if !ok || original.subjectID != entry.subjectID || original.seq >= entry.seq || (original.amount > 0) == (entry.amount > 0) {
			errs = append(errs, fmt.Errorf("the refund %+v does not reverse %+v", entry, original))
		}
		reversed[entry.referenceID] += entry.amount
	}
	for id, sum := range reversed {
		if original := b.entries[id]; max(sum, -sum) > max(original.amount, -original.amount) {
			errs = append(errs, fmt.Errorf("%d tokens of entry %s were refunded, it has %d", sum, id, original.amount))
		}
	}
	return errors.Join(errs...)
}

// checkAudit: what admins do by hand is in the audit log, once, with the entry.
// Uses are not theirs, and grants expire by themselves.
func (b *books) checkAudit() error {
	var errs []error
	for _, entry := range b.entries {
		if entry.eventType != "use" && entry.referenceType != "grant" && b.audited[entry.id] != 1 {
			errs = append(errs, fmt.Errorf("the %s %s has %d audit rows, want 1", entry.eventType, entry.id, b.audited[entry.id]))
		}
	}
	return errors.Join(errs...)
}

func checkIntegrity(ctx context.Context, db *sql.DB) error {
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&verdict); err != nil {
		return fmt.Errorf("integrity_check: %w", err)
	}
	var broken int
	if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM pragma_foreign_key_check`).Scan(&broken); err != nil {
		return fmt.Errorf("foreign_key_check: %w", err)
	}
	if verdict != "ok" || broken != 0 {
		return fmt.Errorf("integrity_check says %q, foreign_key_check finds %d rows", verdict, broken)
	}
	return nil
}
