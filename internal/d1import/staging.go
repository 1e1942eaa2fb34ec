package d1import

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// StagingName is the file in the data folder in which the rows of a dump wait. It
// holds what the dump holds, session tokens included, and goes away with the end
// of the import.
const StagingName = "d1_import.staging"

// partialSuffix marks a staging file that is not complete. It gets its name when
// it is.
const partialSuffix = ".partial"

// StagingFiles are the names under which an import that was given up may have left
// what a dump holds.
func StagingFiles() []string { return []string{StagingName, StagingName + partialSuffix} }

// stagingConnections lets rows be looked up while others are read one by one.
const stagingConnections = 4

// stagingMode keeps the file to its user.
const stagingMode = 0o600

// staging is the file of the first pass.
type staging struct {
	db         *sql.DB
	path       string
	statements map[string]*sql.Stmt // by their text, of which there are few
}

// openStaging returns the staging file of a dump: the one that an earlier run has
// completed for this very dump, or a new one.
func openStaging(ctx context.Context, folder string, dump *dump, progress func(done, total int64)) (*staging, *Report, error) {
	path := filepath.Join(folder, StagingName)
	if s, report := reuseStaging(ctx, path, dump); s != nil {
		return s, report, nil
	}
	if err := removeStaging(path); err != nil {
		return nil, nil, err
	}
	report, err := fillStaging(ctx, path+partialSuffix, dump, progress)
	if err != nil {
		return nil, nil, errors.Join(err, removeStaging(path))
	}
	if err := os.Rename(path+partialSuffix, path); err != nil {
		return nil, nil, err
	}
	s, err := readStaging(path)
	return s, report, err
}

// readStaging opens a complete file. It never changes again, which spares every
// query the locks.
func readStaging(path string) (*staging, error) {
	db, err := connectStaging(path, "mode=ro&immutable=1&_pragma=cache_size(-4000)")
	if err != nil {
		return nil, err
	}
	return &staging{db: db, path: path, statements: make(map[string]*sql.Stmt)}, nil
}

// reuseStaging returns nil when there is no file of this dump that can be used.
func reuseStaging(ctx context.Context, path string, dump *dump) (*staging, *Report) {
	if _, err := os.Stat(path); err != nil {
		return nil, nil
	}
	s, err := readStaging(path)
	if err != nil {
		return nil, nil
	}
	report, err := readMeta(ctx, s.db, dump)
	if err != nil {
		_ = s.close() // it is made anew
		return nil, nil
	}
	return s, report
}

func (s *staging) close() error {
	var errs []error
	for _, statement := range s.statements {
		errs = append(errs, statement.Close())
	}
	return errors.Join(append(errs, s.db.Close())...)
}

// prepared keeps a statement for the next time.
func (s *staging) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if statement := s.statements[query]; statement != nil {
		return statement, nil
	}
	statement, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("read the staging file: %w", err)
	}
	s.statements[query] = statement
	return statement, nil
}

// remove deletes the file, after which a run begins anew.
func (s *staging) remove() error {
	return errors.Join(s.close(), removeStaging(s.path))
}

func removeStaging(path string) error {
	var errs []error
	for _, name := range []string{path, path + partialSuffix} {
		for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
			if err := os.Remove(name + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// connectStaging opens the file.
func connectStaging(path, options string) (*sql.DB, error) {
	// What follows the two slashes of an address is a host, unless it is a slash.
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	query := "_pragma=busy_timeout(10000)&_pragma=temp_store(FILE)&" + options
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query}
	db, err := sql.Open("sqlite", address.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(stagingConnections)
	db.SetMaxIdleConns(stagingConnections)
	return db, nil
}

// stagingIndexes are made behind the rows, which is faster.
var stagingIndexes = []string{
	`CREATE INDEX d1_user_id ON d1_user (id)`,
	`CREATE INDEX d1_account_user ON d1_account (userid)`,
	`CREATE INDEX d1_session_user ON d1_session (userid)`,
	`CREATE INDEX d1_app_user_user ON d1_app_user (better_auth_user_id)`,
	`CREATE INDEX d1_wallets_subject ON d1_wallets (subject_type, subject_id)`,
	`CREATE INDEX d1_entitlements_subject ON d1_entitlements (subject_type, subject_id)`,
	`CREATE INDEX d1_ledger_subject ON d1_wallet_ledger (subject_type, subject_id, at_ms, pos)`,
	`CREATE INDEX d1_ledger_id ON d1_wallet_ledger (id)`,
	`CREATE INDEX d1_usage_ledger ON d1_usage_logs (ledger_id) WHERE ledger_id != ''`,
}

// createStaging makes the tables: the dump's own columns, pos, the order of the
// dump, and at_ms, by which the entries of a wallet are ordered.
func createStaging(ctx context.Context, conn *sql.Conn) error {
	for i := range tables {
		t := &tables[i]
		if t.isSkipped != "" {
			continue
		}
		columns := []string{"pos INTEGER PRIMARY KEY"}
		for _, column := range t.columns {
			definition := `"` + column + `"`
			for _, key := range t.keys {
				if key == column {
					definition += " TEXT"
				}
			}
			columns = append(columns, definition)
		}
		columns = append(columns, "at_ms INTEGER")
		if _, err := conn.ExecContext(ctx, `CREATE TABLE `+t.staged()+` (`+strings.Join(columns, ", ")+`)`); err != nil {
			return fmt.Errorf("make the staging file: %w", err)
		}
	}
	_, err := conn.ExecContext(ctx, `CREATE TABLE meta (bytes INTEGER, sha256 TEXT, report TEXT)`)
	return err
}

// selectRows begins a query for rows of a table.
func selectRows(t *table) string {
	quoted := make([]string, len(t.columns))
	for i, column := range t.columns {
		quoted[i] = `t."` + column + `"`
	}
	return `SELECT t.pos, ` + strings.Join(quoted, ", ") + ` FROM ` + t.staged() + ` t `
}

// each calls a function with the rows of a table that a query's end selects. The
// row is only valid during the call.
func (s *staging) each(ctx context.Context, t *table, end string, arguments []any, use func(pos int64, r *row) error) (err error) {
	statement, err := s.prepared(ctx, selectRows(t)+end)
	if err != nil {
		return err
	}
	rows, err := statement.QueryContext(ctx, arguments...)
	if err != nil {
		return fmt.Errorf("read the staged %s: %w", t.name, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	index := t.places
	var pos int64
	values := make([]any, len(t.columns))
	targets := []any{&pos}
	for i := range values {
		targets = append(targets, &values[i])
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return fmt.Errorf("read the staged %s: %w", t.name, err)
		}
		if err := use(pos, &row{table: t, index: index, values: values}); err != nil {
			return err
		}
	}
	return rows.Err()
}

// list reads a few rows, at most limit.
func (s *staging) list(ctx context.Context, t *table, end string, arguments []any, limit int) (found []*row, err error) {
	err = s.each(ctx, t, end+fmt.Sprintf(" LIMIT %d", limit), arguments, func(_ int64, r *row) error {
		r.values = append([]any(nil), r.values...)
		found = append(found, r)
		return nil
	})
	return found, err
}

func (s *staging) number(ctx context.Context, query string, arguments ...any) (number int64, err error) {
	statement, err := s.prepared(ctx, query)
	if err != nil {
		return 0, err
	}
	var found sql.NullInt64
	err = statement.QueryRowContext(ctx, arguments...).Scan(&found)
	return found.Int64, err
}
