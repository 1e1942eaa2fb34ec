package usagearchive

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// UnfinishedFolder lies in the archive folder and holds the file that is being
// written. Backups should leave it out.
const UnfinishedFolder = "unfinished"

// Archiver moves old usage rows into the files of one folder. One run at a time
// may use a folder.
type Archiver struct {
	store  Store
	folder string
	now    func() time.Time

	maxRows, pageRows, lookRows, removeRows int
	maxLooked                               int64
	pause                                   time.Duration

	start  int64 // the position where the next run begins
	looked int64 // rows that this run has looked at

	// reached is told of every step that is done, and may end the run there: the
	// tests stop a run anywhere.
	reached func(step string) error
}

// New makes an archiver for a folder, which it creates when it is missing.
func New(store Store, folder string, now func() time.Time) *Archiver {
	return &Archiver{
		store: store, folder: folder, now: now,
		maxRows: MaxArchiveRows, pageRows: pageRows, lookRows: lookRows, removeRows: removeRows, maxLooked: maxLooked, pause: removePause,
		reached: func(string) error { return nil },
	}
}

// Report counts what one run did.
type Report struct {
	Archives int // files that were finished
	Rows     int64
}

// Run finishes what an earlier run left, then archives the usage rows older than
// the cutoff, the start of a UTC day, and removes them. When it ends with an
// error, or the context ends, the next run goes on where it stopped; so it does when
// there was too much for one run.
func (a *Archiver) Run(ctx context.Context, cutoff time.Time) (Report, error) {
	var report Report
	if err := a.prepareFolder(); err != nil {
		return report, fmt.Errorf("prepare the archive folder: %w", err)
	}
	if err := a.removeArchived(ctx, &report); err != nil {
		return report, err
	}
	a.looked = 0
	for range maxArchives {
		archive, last, err := a.write(ctx, cutoff, a.start)
		if err != nil {
			return report, err
		}
		if archive.Rows == 0 {
			a.start = last
			return report, nil
		}
		if err := a.store.AddArchive(ctx, archive); err != nil {
			return report, fmt.Errorf("note the archive %s: %w", archive.File, err)
		}
		if err := a.reached("manifest"); err != nil {
			return report, err
		}
		if err := a.removeArchived(ctx, &report); err != nil {
			return report, err
		}
		a.start = last
		if last == 0 {
			return report, nil // that was the end
		}
	}
	return report, nil
}

// removeArchived removes what lies in files already, of this run or an earlier one.
func (a *Archiver) removeArchived(ctx context.Context, report *Report) error {
	archives, err := a.store.UnfinishedArchives(ctx)
	if err != nil {
		return fmt.Errorf("list unfinished archives: %w", err)
	}
	for _, archive := range archives {
		if err := a.removeRowsOf(ctx, archive); err != nil {
			return fmt.Errorf("remove the rows of %s: %w", archive.File, err)
		}
		report.Archives++
		report.Rows += archive.Rows
	}
	return nil
}

func (a *Archiver) removeRowsOf(ctx context.Context, archive Archive) error {
	ids, err := a.verify(archive)
	if err != nil {
		return err
	}
	for step := range slices.Chunk(ids, a.removeRows) {
		if err := a.store.RemoveUsage(ctx, step); err != nil {
			return err
		}
		if err := a.reached("removal"); err != nil {
			return err
		}
		if err := wait(ctx, a.pause); err != nil {
			return err
		}
	}
	if err := a.store.FinishArchive(ctx, archive.ID); err != nil {
		return err
	}
	return a.reached("finish")
}

func wait(ctx context.Context, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}
