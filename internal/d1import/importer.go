package d1import

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/bcrypt"

	"sokuji/internal/ledger"
)

// Options of an import.
type Options struct {
	// Writer is the write connection of data.db, whose schema is there. Nobody else
	// may write to it meanwhile.
	Writer *sql.DB
	// Store is the ledger's, on the same connection.
	Store ledger.Store
	// Folder is where the staging file lies, beside data.db.
	Folder string
	Now    func() time.Time
	// KnowsProvider tells whether an OAuth2 provider has a name here.
	KnowsProvider func(name string) bool
	// Progress is told how much is done, first in bytes of the dump, then in rows. It
	// is called often, from one goroutine.
	Progress func(done, total int64)
}

// Run imports a dump. The report is what it did up to then, also with an error,
// which says that the file could not be read or the disk not be written; the next
// run then goes on. Strange rows are no error.
func Run(ctx context.Context, path string, options Options) (*Report, error) {
	dump, err := openDump(path)
	if err != nil {
		return nil, err
	}
	progress := options.Progress
	if progress == nil {
		progress = func(int64, int64) {}
	}
	staging, report, err := openStaging(ctx, options.Folder, dump, progress)
	if err != nil {
		return report, err
	}
	i := &importer{ctx: ctx, Options: options, staging: staging, report: report, now: options.Now().UTC().Truncate(time.Millisecond), progress: progress}
	if err := i.run(); err != nil {
		return report, errors.Join(err, staging.close()) // the file stays for the next run
	}
	return report, staging.remove()
}

// importer is the second pass.
type importer struct {
	Options
	ctx      context.Context
	staging  *staging
	report   *Report
	now      time.Time // of the whole run
	progress func(done, total int64)

	done, total int64
	// nobodysPassword is a bcrypt hash that no password has, for users whose own
	// password lies elsewhere, or nowhere.
	nobodysPassword string
	usersCollection string    // its id
	archivedBefore  time.Time // usage rows of these books that are older may be in archives
	// isFresh: there was no entry and no usage row when the run began.
	isFresh bool
	// hasTwins: some id stands on two rows of the dump's ledger.
	hasTwins bool
}

func (i *importer) run() error {
	for _, step := range []func() error{
		i.prepare, i.plans, i.users, i.strayAccountRows, i.organizations, i.money, i.strayWallets, i.strayEntitlements,
		i.strayUsage, i.webhooks, i.events, i.remainder,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	i.progress(max(i.total, 1), max(i.total, 1))
	return nil
}

// remainder counts what was passed over because one owner had more of it than the
// bounds allow.
func (i *importer) remainder() error {
	for _, t := range i.report.Tables {
		if rest := t.Read - t.Imported - t.AlreadyThere - t.Skipped; rest > 0 {
			t.skipRows(fmt.Sprintf("one owner has more than %d rows", maxRowsPerUser), "(not looked at)", rest)
		}
	}
	return nil
}

func (i *importer) prepare() error {
	for _, t := range i.report.Tables {
		i.total += t.Read
	}
	err := i.Writer.QueryRowContext(i.ctx, `SELECT id FROM _collections WHERE name = 'users'`).Scan(&i.usersCollection)
	if err != nil {
		return fmt.Errorf("find the users: %w", err)
	}
	if err := i.readCutoff(); err != nil {
		return fmt.Errorf("read the archives' cutoff: %w", err)
	}
	err = i.Writer.QueryRowContext(i.ctx, `SELECT NOT EXISTS (SELECT 1 FROM wallet_ledger) AND NOT EXISTS (SELECT 1 FROM usage_logs)`).Scan(&i.isFresh)
	if err != nil {
		return fmt.Errorf("look for entries: %w", err)
	}
	twins, err := i.staging.number(i.ctx, `SELECT EXISTS (SELECT 1 FROM d1_wallet_ledger GROUP BY id HAVING COUNT(*) > 1)`)
	if err != nil {
		return err
	}
	i.hasTwins = twins != 0
	// Rows come in the order of the dump, and so all over the indexes: with a larger
	// cache and rarer checkpoints a page is written once for many of them.
	for _, pragma := range []string{`PRAGMA cache_size = -48000`, `PRAGMA wal_autocheckpoint = 16000`} {
		if _, err := i.Writer.ExecContext(i.ctx, pragma); err != nil {
			return fmt.Errorf("%s: %w", pragma, err)
		}
	}
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(hex.EncodeToString(secret)), bcrypt.DefaultCost)
	i.nobodysPassword = string(hash)
	return err
}

func (i *importer) readCutoff() error {
	var cutoff string
	err := i.Writer.QueryRowContext(i.ctx, `SELECT COALESCE(MAX(cutoff), '') FROM usage_archives`).Scan(&cutoff)
	if err != nil || cutoff == "" {
		return err
	}
	i.archivedBefore, err = time.Parse(timeLayout, cutoff)
	return err
}

func (i *importer) step() error {
	i.done++
	if i.done%progressRows == 0 {
		i.progress(min(i.done, i.total), max(i.total, 1))
	}
	return i.ctx.Err()
}

// inTransaction runs a function in a transaction of data.db.
func (i *importer) inTransaction(use func(tx *sql.Tx) error) error {
	tx, err := i.Writer.BeginTx(i.ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := use(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// inBatches reads the rows of a table that a query's end selects, and hands them on
// in transactions of at most size rows.
func (i *importer) inBatches(t *table, end string, size int, use func(tx *sql.Tx, pos int64, r *row) error) error {
	var tx *sql.Tx
	pending := 0
	err := i.staging.each(i.ctx, t, end, nil, func(pos int64, r *row) (err error) {
		if tx == nil {
			if tx, err = i.Writer.BeginTx(i.ctx, nil); err != nil {
				return fmt.Errorf("begin: %w", err)
			}
		}
		if err := use(tx, pos, r); err != nil {
			return err
		}
		if pending++; pending == size {
			err, tx, pending = tx.Commit(), nil, 0
			return err
		}
		return i.step()
	})
	switch {
	case tx == nil:
		return err
	case err != nil:
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

const idAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz"

// randomText returns n characters of PocketBase's alphabet for ids and keys.
func randomText(n int) (string, error) {
	text := make([]byte, n)
	size := big.NewInt(int64(len(idAlphabet)))
	for at := range text {
		index, err := rand.Int(rand.Reader, size)
		if err != nil {
			return "", err
		}
		text[at] = idAlphabet[index.Int64()]
	}
	return string(text), nil
}

// Lengths of what PocketBase makes up.
const (
	generatedIDLength = 15
	tokenKeyLength    = 50
)

// timeLayout is PocketBase's own text form of an instant.
const timeLayout = "2006-01-02 15:04:05.000Z"

func stored(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(timeLayout)
}

// exists asks data.db a question of yes or no.
func exists(ctx context.Context, tx *sql.Tx, query string, arguments ...any) (found bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (`+query+`)`, arguments...).Scan(&found)
	return found, err
}

// nullable stores JSON as text, and nothing as NULL.
func nullable(raw []byte) any {
	if len(raw) == 0 {
		return nil
	}
	return string(raw)
}
