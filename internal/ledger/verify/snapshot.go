package verify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"sokuji/internal/readview"
)

// snapshot is one read transaction: everything in it is seen at one moment.
type snapshot struct {
	ctx context.Context
	tx  *sql.Tx
}

// view runs a function in a snapshot of its own.
func view(ctx context.Context, db *sql.DB, read func(snapshot) error) error {
	return readview.View(ctx, db, func(tx *sql.Tx) error { return read(snapshot{ctx, tx}) })
}

// each calls a function with every row of a query. The cells are only valid
// during the call.
func (s snapshot) each(row func(*cells) error, query string, arguments ...any) (err error) {
	rows, err := s.tx.QueryContext(s.ctx, query, arguments...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	c := &cells{names: names, values: make([]any, len(names))}
	targets := make([]any, len(names))
	for i := range targets {
		targets[i] = &c.values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		c.reset()
		if err := row(c); err != nil {
			return err
		}
	}
	return rows.Err()
}

// number reads a single whole number; anything else is 0.
func (s snapshot) number(query string, arguments ...any) (number int64, err error) {
	err = s.each(func(c *cells) error {
		number, _ = c.maybeInteger()
		return nil
	}, query, arguments...)
	return number, err
}

// requiredTables are what a verification reads.
var requiredTables = []string{
	"wallets", "wallet_ledger", "wallet_holds", "wallet_grants", "wallet_grant_moves",
	"wallet_requests", "usage_logs", "usage_daily", "usage_quarters", spendingTable, auditTable,
}

const archivesTable = "usage_archives"

// tables tells which tables there are, and refuses a file without the books.
func (s snapshot) tables() (map[string]bool, error) {
	present := make(map[string]bool)
	err := s.each(func(c *cells) error {
		present[c.text()] = true
		return nil
	}, `SELECT name FROM sqlite_schema WHERE type = 'table'`)
	if err != nil {
		return nil, fmt.Errorf("read the database: %w", err)
	}
	var missing []string
	for _, table := range requiredTables {
		if !present[table] {
			missing = append(missing, table)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("there is no table %s: this is not the data.db of a Sokuji server, or one of an older version, "+
			"which the server brings up to date when it starts", strings.Join(missing, ", "))
	}
	return present, nil
}
