package sqlitestore

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sokuji/internal/ledger"
)

// timeLayout is PocketBase's own text form of an instant.
const timeLayout = "2006-01-02 15:04:05.000Z"

func formatTime(t time.Time) string {
	return t.UTC().Format(timeLayout)
}

func parseTime(text string) (time.Time, error) {
	return time.Parse(timeLayout, text)
}

// row is what *sql.Row and *sql.Rows share.
type row interface{ Scan(...any) error }

func scanWallet(r row) (ledger.Wallet, bool, error) {
	var w ledger.Wallet
	var head, updated string
	err := r.Scan(&w.Subject.Type, &w.Subject.ID, &w.Balance, &w.Held, &w.Expiring, &w.Frozen, &w.FrozenReason, &w.Seq, &head, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return w, false, nil
	}
	if err != nil {
		return w, false, fmt.Errorf("read a wallet: %w", err)
	}
	if w.Head, err = ledger.ParseHash(head); err != nil {
		return w, false, fmt.Errorf("wallet %s: head_hash: %w", w.Subject.ID, err)
	}
	if w.UpdatedAt, err = parseTime(updated); err != nil {
		return w, false, fmt.Errorf("wallet %s: updated_at: %w", w.Subject.ID, err)
	}
	return w, true, nil
}

func scanEntry(r row) (ledger.Entry, bool, error) {
	var e ledger.Entry
	var created, prev, hash string
	var metadata sql.NullString
	err := r.Scan(&e.ID, &e.Subject.Type, &e.Subject.ID, &e.Seq, &e.Amount, &e.BalanceAfter, &e.EventType,
		&e.ReferenceType, &e.ReferenceID, &e.PlanID, &e.ExternalEventID, &e.IdempotencyKey, &e.RequestHash,
		&e.Description, &metadata, &created, &prev, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return e, false, nil
	}
	if err != nil {
		return e, false, fmt.Errorf("read an entry: %w", err)
	}
	e.Metadata = rawJSON(metadata)
	if e.CreatedAt, err = parseTime(created); err != nil {
		return e, false, fmt.Errorf("entry %s: created_at: %w", e.ID, err)
	}
	if e.PrevHash, err = ledger.ParseHash(prev); err != nil {
		return e, false, fmt.Errorf("entry %s: prev_hash: %w", e.ID, err)
	}
	if e.Hash, err = ledger.ParseHash(hash); err != nil {
		return e, false, fmt.Errorf("entry %s: hash: %w", e.ID, err)
	}
	return e, true, nil
}

func scanUsage(r row) (ledger.UsageRow, bool, error) {
	var u ledger.UsageRow
	var created string
	var adjustedTotal int64 // the sum of the two sides; stored for the original's clients
	var rates, metadata, counts sql.NullString
	err := r.Scan(&u.ID, &u.Subject.Type, &u.Subject.ID, &u.Provider, &u.Model, &u.Modality, &u.Endpoint, &u.Method,
		&u.SessionID, &u.RequestID, &u.ResponseID, &u.EventType,
		&u.InputTokens, &u.OutputTokens, &u.TotalTokens, &u.Milliseconds,
		&u.AdjustedInputTokens, &u.AdjustedOutputTokens, &adjustedTotal, &u.InputRatio, &u.OutputRatio,
		&u.ChargedTokens, &u.PriceID, &rates, &u.LedgerID, &metadata, &created,
		&u.APIKey, &counts, &u.FirstByteMS, &u.DurationMS, &u.Status, &u.SettledBy)
	if errors.Is(err, sql.ErrNoRows) {
		return u, false, nil
	}
	if err != nil {
		return u, false, fmt.Errorf("read a usage row: %w", err)
	}
	u.Rates, u.Metadata, u.Counts = rawJSON(rates), rawJSON(metadata), rawJSON(counts)
	if u.CreatedAt, err = parseTime(created); err != nil {
		return u, false, fmt.Errorf("usage row %s: created_at: %w", u.ID, err)
	}
	return u, true, nil
}

func rawJSON(text sql.NullString) json.RawMessage {
	if !text.Valid || text.String == "" {
		return nil
	}
	return json.RawMessage(text.String)
}

// textOrNull stores JSON as text, and nothing as NULL, as PocketBase does.
func textOrNull(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return string(raw)
}
