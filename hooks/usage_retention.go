package hooks

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"sokuji/internal/usagearchive"
)

const (
	// archiveFolder lies in the data folder, and so in backups.
	archiveFolder = "archive"
	// usageRetentionJob is the name under which the dashboard can start it too.
	usageRetentionJob = "sokujiUsageRetention"
)

// usageRetention is the daily job that archives old usage rows.
type usageRetention struct {
	app      core.App
	archiver *usagearchive.Archiver
	days     int
	running  sync.Mutex // held while a run goes on
}

// bindUsageRetention archives usage rows of a configured age, nightly. Backups
// leave out the file that is being written.
func bindUsageRetention(app core.App, s *server) {
	app.OnBackupCreate().BindFunc(func(e *core.BackupEvent) error {
		e.Exclude = append(e.Exclude, archiveFolder+"/"+usagearchive.UnfinishedFolder)
		return e.Next()
	})
	if s.config.UsageRetentionDays == 0 {
		return
	}
	job := &usageRetention{
		app: app, days: s.config.UsageRetentionDays,
		archiver: usagearchive.New(s.store, filepath.Join(app.DataDir(), archiveFolder), time.Now),
	}
	ctx, stop := context.WithCancel(context.Background())
	app.Cron().MustAdd(usageRetentionJob, "23 3 * * *", func() { job.run(ctx, time.Now()) })
	app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{
		Id:       usageRetentionJob,
		Priority: beforePocketBase,
		Func: func(e *core.TerminateEvent) error {
			stop()
			job.wait()
			return e.Next()
		},
	})
}

// wait returns when no run goes on.
func (j *usageRetention) wait() {
	j.running.Lock()
	defer j.running.Unlock()
}

// run archives once. What goes wrong is logged and tried again by the next run.
func (j *usageRetention) run(ctx context.Context, now time.Time) {
	if !j.running.TryLock() {
		return // the run before it has so much to do
	}
	defer j.running.Unlock()
	report, err := j.archiver.Run(ctx, usagearchive.Cutoff(now, j.days))
	if err != nil && ctx.Err() == nil {
		j.app.Logger().Error("Old usage rows could not be archived", slog.Any("error", err))
	}
	if report.Archives > 0 {
		j.app.Logger().Info("Old usage rows were archived", slog.Int("files", report.Archives), slog.Int64("rows", report.Rows))
	}
}
