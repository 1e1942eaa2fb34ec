package sqlitestore

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"sokuji/internal/ledger"
)

var _ ledger.Tx = (*tx)(nil)

// tx is one write transaction on PocketBase's write connection.
type tx struct {
	sql        *sql.Tx
	statements *statements
}

func (t *tx) Commit() error   { return t.sql.Commit() }
func (t *tx) Rollback() error { return t.sql.Rollback() }

func (t *tx) Wallet(subject ledger.Subject) (ledger.Wallet, bool, error) {
	return scanWallet(t.sql.Stmt(t.statements.selectWallet).QueryRow(subject.ID, string(subject.Type)))
}

func (t *tx) Entry(id string) (ledger.Entry, bool, error) {
	return scanEntry(t.sql.Stmt(t.statements.selectEntry).QueryRow(id))
}

func (t *tx) EntryByExternalEvent(externalEventID string) (ledger.Entry, bool, error) {
	return scanEntry(t.sql.Stmt(t.statements.selectExternalEvent).QueryRow(externalEventID))
}

func (t *tx) Usage(id string) (ledger.UsageRow, bool, error) {
	return scanUsage(t.sql.Stmt(t.statements.selectUsage).QueryRow(id))
}

func (t *tx) Refunded(entryID string) (int64, error) {
	var sum int64
	err := t.sql.Stmt(t.statements.sumRefunds).QueryRow(entryID).Scan(&sum)
	return sum, err
}

func (t *tx) Request(key ledger.RequestKey) (ledger.StoredRequest, bool, error) {
	stored := ledger.StoredRequest{Key: key}
	var fingerprint, created string
	var hold, items sql.NullString
	err := t.sql.Stmt(t.statements.selectRequest).QueryRow(key.Subject.ID, string(key.Kind), key.Key).Scan(
		&fingerprint, &stored.EntryID, &stored.Wallet.Balance, &stored.Wallet.Held, &stored.Wallet.Frozen,
		&stored.Refundable, &hold, &items, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return stored, false, nil
	}
	if err != nil {
		return stored, false, fmt.Errorf("read a finished request: %w", err)
	}
	if stored.Fingerprint, err = ledger.ParseHash(fingerprint); err != nil {
		return stored, false, fmt.Errorf("finished request of %s: fingerprint: %w", key.Subject.ID, err)
	}
	if err := errors.Join(decode(hold, &stored.Hold), decode(items, &stored.Items)); err != nil {
		return stored, false, fmt.Errorf("finished request of %s: %w", key.Subject.ID, err)
	}
	stored.CreatedAt, err = parseTime(created)
	return stored, err == nil, err
}

// Write stores the rows of a batch in an order in which each finds what it
// refers to.
func (t *tx) Write(changes *ledger.Changes) error {
	for _, write := range []func(*ledger.Changes) error{
		t.writeEntries, t.writeUsage, t.writeDaily, t.writeQuarters, t.writeHolds, t.writeGrants, t.writeWallets,
		t.writeSpending, t.writeEntitlements, t.writeAudit, t.writeRequests,
	} {
		if err := write(changes); err != nil {
			return classify(err)
		}
	}
	return nil
}

// classify tells a row that breaks a constraint from a disk that does not obey.
func classify(err error) error {
	if failure, ok := errors.AsType[*sqlite.Error](err); ok && failure.Code()&0xff == sqlite3.SQLITE_CONSTRAINT {
		return fmt.Errorf("%w: %w", ledger.ErrConflict, err)
	}
	return err
}

func (t *tx) writeEntries(changes *ledger.Changes) error {
	insert := t.sql.Stmt(t.statements.insertEntry)
	for _, e := range changes.Entries {
		_, err := insert.Exec(e.ID, string(e.Subject.Type), e.Subject.ID, e.Seq, e.Amount, e.BalanceAfter, string(e.EventType),
			e.ReferenceType, e.ReferenceID, e.PlanID, e.ExternalEventID, e.IdempotencyKey, e.RequestHash,
			e.Description, textOrNull(e.Metadata), formatTime(e.CreatedAt), hashText(e.PrevHash), e.Hash.String())
		if err != nil {
			return fmt.Errorf("insert an entry: %w", err)
		}
	}
	return nil
}

// hashText leaves the column empty where a chain begins.
func hashText(hash ledger.Hash) string {
	if hash == (ledger.Hash{}) {
		return ""
	}
	return hash.String()
}

func (t *tx) writeUsage(changes *ledger.Changes) error {
	insert, insertPlain := t.sql.Stmt(t.statements.insertUsage), t.sql.Stmt(t.statements.insertPlainUsage)
	for _, u := range changes.Usage {
		var err error
		if u.IsEmpty() {
			_, err = insertPlain.Exec(u.ID, string(u.Subject.Type), u.Subject.ID, u.ChargedTokens, u.LedgerID, formatTime(u.CreatedAt))
		} else {
			err = writeFullUsage(insert, u)
		}
		if err != nil {
			return fmt.Errorf("insert a usage row: %w", err)
		}
	}
	return nil
}

func writeFullUsage(insert *sql.Stmt, u *ledger.UsageRow) error {
	_, err := insert.Exec(u.ID, string(u.Subject.Type), u.Subject.ID, u.Provider, u.Model, u.Modality, u.Endpoint, u.Method,
		u.SessionID, u.RequestID, u.ResponseID, u.EventType,
		u.InputTokens, u.OutputTokens, u.TotalTokens, u.Milliseconds,
		u.AdjustedInputTokens, u.AdjustedOutputTokens, u.AdjustedInputTokens+u.AdjustedOutputTokens,
		decimal(u.InputRatio), decimal(u.OutputRatio),
		u.ChargedTokens, u.PriceID, textOrNull(u.Rates), u.LedgerID, textOrNull(u.Metadata), formatTime(u.CreatedAt),
		u.APIKey, textOrNull(u.Counts), u.FirstByteMS, u.DurationMS, u.Status, string(u.SettledBy))
	return err
}

// decimal gives a numeric column its default when there is no ratio.
func decimal(text string) string {
	if text == "" {
		return "0"
	}
	return text
}

func (t *tx) writeDaily(changes *ledger.Changes) error {
	add := t.sql.Stmt(t.statements.addDaily)
	for _, d := range changes.Daily {
		id := d.Subject.ID + "-" + strings.ReplaceAll(d.Day, "-", "")
		_, err := add.Exec(id, string(d.Subject.Type), d.Subject.ID, d.Day, d.Uses, d.Tokens, d.InputTokens, d.OutputTokens)
		if err != nil {
			return fmt.Errorf("add to a daily roll-up: %w", err)
		}
	}
	return nil
}

func (t *tx) writeQuarters(changes *ledger.Changes) error {
	add := t.sql.Stmt(t.statements.addQuarter)
	for _, q := range changes.Quarters {
		_, err := add.Exec(q.Slot, q.Subject.ID, string(q.Subject.Type), q.Uses, q.Tokens, q.InputTokens, q.OutputTokens)
		if err != nil {
			return fmt.Errorf("add to a quarter-hour roll-up: %w", err)
		}
	}
	return nil
}

func (t *tx) writeWallets(changes *ledger.Changes) error {
	update := t.sql.Stmt(t.statements.updateWallet)
	entries := entriesByWallet(changes.Entries)
	for _, w := range changes.Wallets {
		before := w.Seq - entries[w.Subject]
		result, err := update.Exec(w.Balance, w.Held, w.Expiring, w.Frozen, w.FrozenReason, w.Seq, hashText(w.Head), formatTime(w.UpdatedAt),
			w.Subject.ID, before)
		if err != nil {
			return fmt.Errorf("update a wallet: %w", err)
		}
		changed, err := result.RowsAffected()
		if err != nil {
			return fmt.Errorf("update a wallet: %w", err)
		}
		if changed != 1 {
			return fmt.Errorf("wallet %s is not at seq %d on disk: somebody else wrote to it", w.Subject.ID, before)
		}
	}
	return nil
}

func entriesByWallet(entries []*ledger.Entry) map[ledger.Subject]int64 {
	count := make(map[ledger.Subject]int64)
	for _, entry := range entries {
		count[entry.Subject]++
	}
	return count
}

func (t *tx) writeEntitlements(changes *ledger.Changes) error {
	move := t.sql.Stmt(t.statements.moveEntitlement)
	for _, e := range changes.Entitlements {
		_, err := move.Exec(e.Subject.ID, string(e.Subject.Type), e.Subject.ID, e.PlanID,
			e.MaxConcurrentSessions, e.RateLimitRPM, e.RateLimitTPM, textOrNull(e.AllowedModels), textOrNull(e.Features), formatTime(e.At))
		if err != nil {
			return fmt.Errorf("move an entitlement: %w", err)
		}
	}
	return nil
}

func (t *tx) writeAudit(changes *ledger.Changes) error {
	insert := t.sql.Stmt(t.statements.insertAudit)
	for _, a := range changes.Audit {
		_, err := insert.Exec(a.ID, a.Actor, a.Action, string(a.Subject.Type), a.Subject.ID, a.Reason,
			textOrNull(a.Details), formatTime(a.CreatedAt))
		if err != nil {
			return fmt.Errorf("insert an audit row: %w", err)
		}
	}
	return nil
}

func (t *tx) writeRequests(changes *ledger.Changes) error {
	insert := t.sql.Stmt(t.statements.insertRequest)
	for _, r := range changes.Requests {
		hold, errHold := encoded(r.Hold, r.Hold == nil)
		items, errItems := encoded(r.Items, r.Items == nil)
		if err := errors.Join(errHold, errItems); err != nil {
			return fmt.Errorf("encode a finished request: %w", err)
		}
		_, err := insert.Exec(r.Key.Subject.ID, string(r.Key.Kind), r.Key.Key, string(r.Key.Subject.Type), r.Fingerprint.String(),
			r.EntryID, r.Wallet.Balance, r.Wallet.Held, r.Wallet.Frozen, r.Refundable, hold, items, formatTime(r.CreatedAt))
		if err != nil {
			return fmt.Errorf("insert a finished request: %w", err)
		}
	}
	return nil
}
