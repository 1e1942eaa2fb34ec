package hooks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/auth"
	"github.com/spf13/cobra"

	"sokuji/internal/d1import"
	"sokuji/internal/datalock"
	"sokuji/internal/ledger/sqlitestore"
	"sokuji/internal/ledger/verify"
)

// newImportCommand makes the command that brings another backend's data over.
func newImportCommand() *cobra.Command {
	command := &cobra.Command{
		Use:          "import",
		Short:        "Brings users, balances and the ledger over from another backend",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(newImportD1Command())
	return command
}

// d1Import is what the command line says of an import.
type d1Import struct {
	isDryRun bool
	report   string // a file, may be empty
}

func newImportD1Command() *cobra.Command {
	var i d1Import
	command := &cobra.Command{
		Use:   "d1 FILE",
		Short: "Imports the SQL text that wrangler d1 export writes",
		Long: `Imports the SQL text that "wrangler d1 export" writes for the original backend's
database: users, passwords, sessions that are alive, plans, wallets, the ledger,
entitlements and logs, with their ids. The server must be stopped. What is in the
data directory already is never overwritten; an import that was interrupted goes
on when it is run again, and one that is done imports nothing more.

Rows that cannot be imported, or not as they are, are reported, and are no error.`,
		Example: "  sokuji import d1 export.sql --dry-run\n  sokuji import d1 export.sql --report import.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return i.run(command, args[0])
		},
		SilenceUsage: true,
	}
	command.Flags().BoolVar(&i.isDryRun, "dry-run", false, "import into a copy in the temporary folder, report, and delete it")
	command.Flags().StringVar(&i.report, "report", "", "write the report as JSON to this file, too")
	return command
}

func (i *d1Import) run(command *cobra.Command, file string) error {
	folder, err := command.Flags().GetString("dir")
	if err != nil {
		return err
	}
	encryption, err := command.Flags().GetString("encryptionEnv")
	if err != nil {
		return err
	}
	if _, err := os.Stat(file); err != nil {
		return err // before anything is made
	}
	var report *d1import.Report
	if i.isDryRun {
		report, err = dryRunD1(command.Context(), folder, encryption, file)
	} else {
		report, err = importD1(command.Context(), folder, encryption, file)
	}
	if report == nil {
		return err
	}
	report.DryRun = i.isDryRun
	return errors.Join(err, printImport(command.OutOrStdout(), report, err == nil), i.writeReport(report))
}

// importD1 imports into a data folder that nobody else has open.
func importD1(ctx context.Context, folder, encryption, file string) (report *d1import.Report, err error) {
	lock, err := datalock.Acquire(folder, "import")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	return importInto(ctx, folder, encryption, file)
}

// importInto opens a data folder as the server does, brings its schema up to date
// and imports.
func importInto(ctx context.Context, folder, encryption, file string) (report *d1import.Report, err error) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: folder, EncryptionEnv: encryption, DBConnect: ConnectDatabase})
	if err := app.Bootstrap(); err != nil {
		return nil, fmt.Errorf("open the data folder: %w", err)
	}
	defer func() { err = errors.Join(err, app.ResetBootstrapState()) }()
	if err := app.RunAllMigrations(); err != nil {
		return nil, fmt.Errorf("bring the schema up to date: %w", err)
	}
	writer, err := sqlPool(app.NonconcurrentDB())
	if err != nil {
		return nil, err
	}
	reader, err := sqlPool(app.ConcurrentDB())
	if err != nil {
		return nil, err
	}
	store, err := sqlitestore.Open(writer, reader)
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	bar := newProgressBar()
	defer bar.clear()
	return d1import.Run(ctx, file, d1import.Options{
		Writer: writer, Store: store, Folder: folder, Now: time.Now, Progress: bar.show,
		KnowsProvider: func(name string) bool { return auth.Providers[name] != nil },
	})
}

// dryRunD1 does the very same to a copy, so that what it reports is what would
// happen. It reads beside a running server and writes nothing to its folder.
func dryRunD1(ctx context.Context, folder, encryption, file string) (report *d1import.Report, err error) {
	scratch, err := os.MkdirTemp("", "sokuji_dry_run_*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if err := copyBooks(ctx, filepath.Join(scratch, moneyDatabase), filepath.Join(folder, moneyDatabase)); err != nil {
		return nil, fmt.Errorf("copy the database for the dry run: %w", err)
	}
	return importInto(ctx, scratch, encryption, file)
}

// copyBooks copies a database, if there is one, as it is at one moment.
func copyBooks(ctx context.Context, target, source string) (err error) {
	if _, err := os.Stat(source); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	database, err := verify.OpenReadOnly(source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	// The pragma refuses any statement that writes, also to another file. The
	// connection stays one that can only read this one.
	if _, err := database.ExecContext(ctx, `PRAGMA query_only = 0`); err != nil {
		return err
	}
	if _, err := database.ExecContext(ctx, `VACUUM INTO ?`, target); err != nil {
		return err
	}
	return database.Unchanged()
}
