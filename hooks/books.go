package hooks

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/verify"
)

const (
	// booksCheckSchedule is how often the cheap part of the verification runs.
	booksCheckSchedule = "*/5 * * * *"
	// booksCheckPatience is how long a run goes on while there is more to check, half
	// of it in pauses. The next run goes on where it ended.
	booksCheckPatience = 2 * time.Minute
	// booksCheckTimeout bounds one run. Its snapshots are short, because each keeps
	// SQLite from shortening its write-ahead log.
	booksCheckTimeout = booksCheckPatience + time.Minute
)

// booksMark is where the check keeps how far it has come.
type booksMark interface {
	BooksMark(ctx context.Context) (entryID, hash string, err error)
	SetBooksMark(ctx context.Context, entryID, hash string, now time.Time) error
}

// books checks the ledger while the server runs: what is new in the chains, and
// what is held and expiring against the holds and grants.
type books struct {
	reader *sql.DB
	mark   booksMark
	note   func(context.Context, ledger.AuditRow) error
	logger *slog.Logger
	now    func() time.Time

	running sync.Mutex // held while a check runs
	monitor verify.Monitor
	kept    *verify.Mark    // what mark says, nil before it was read
	noted   *verify.Finding // what the audit log says last
	// wrong is the first finding of the last run, nil when the books balance.
	wrong atomic.Pointer[verify.Finding]
}

// balance tells whether the last run found nothing.
func (b *books) balance() bool { return b.wrong.Load() == nil }

// check runs once. What the audit log does not say yet goes there; a run that could
// not read changes nothing, and a note that could not be written waits for the next.
func (b *books) check(ctx context.Context) error {
	b.running.Lock()
	defer b.running.Unlock()
	ctx, cancel := context.WithTimeout(ctx, booksCheckTimeout)
	defer cancel()
	if err := b.readMark(ctx); err != nil {
		return err
	}
	checked, err := b.monitor.Check(ctx, b.reader, booksCheckPatience)
	if err != nil {
		return err
	}
	var wrong *verify.Finding
	if len(checked.Findings) > 0 {
		wrong = &checked.Findings[0]
	}
	b.wrong.Store(wrong)
	if wrong == nil && checked.Behind > 0 {
		b.logger.Warn("The check of the books is behind", slog.Int64("entries", checked.Behind))
	}
	return errors.Join(b.noteWrong(ctx, wrong), b.keepMark(ctx))
}

// readMark lets the first run begin where an earlier process ended.
func (b *books) readMark(ctx context.Context) error {
	if b.kept != nil {
		return nil
	}
	id, hash, err := b.mark.BooksMark(ctx)
	if err != nil {
		return err
	}
	b.kept = &verify.Mark{ID: id, Hash: hash}
	b.monitor.GoOnFrom(*b.kept)
	return nil
}

func (b *books) keepMark(ctx context.Context) error {
	mark := b.monitor.Mark()
	if mark.ID == "" || mark == *b.kept {
		return nil
	}
	if err := b.mark.SetBooksMark(ctx, mark.ID, mark.Hash, b.now()); err != nil {
		return err
	}
	b.kept = &mark
	return nil
}

// noteWrong tells the audit log what it does not say yet.
func (b *books) noteWrong(ctx context.Context, wrong *verify.Finding) error {
	if sameFinding(b.noted, wrong) {
		return nil
	}
	if err := b.write(ctx, wrong); err != nil {
		return err
	}
	b.noted = wrong
	return nil
}

func sameFinding(a, b *verify.Finding) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func (b *books) write(ctx context.Context, wrong *verify.Finding) error {
	row := ledger.AuditRow{
		ID: core.GenerateDefaultRandomId(), Actor: "server", CreatedAt: b.now().UTC().Truncate(time.Millisecond),
		Action: "books.balanced", Reason: "the running check finds nothing any more",
	}
	if wrong == nil {
		b.logger.Info("The books balance again")
		return b.note(ctx, row)
	}
	b.logger.Error("The books do not balance", slog.String("table", wrong.Table), slog.String("row", wrong.RowID), slog.String("problem", wrong.Problem))
	row.Action, row.Reason = "books.unbalanced", wrong.String()
	return b.note(ctx, row)
}

// bindBooks checks once at the start, beside the first requests, and then by
// schedule.
func bindBooks(app core.App, s *server) {
	run := func() {
		if err := s.books.check(context.Background()); err != nil && !errors.Is(err, sql.ErrConnDone) {
			app.Logger().Warn("The books could not be checked", slog.Any("error", err))
		}
	}
	app.Cron().MustAdd("sokujiBooks", booksCheckSchedule, run)
	go run()
}
