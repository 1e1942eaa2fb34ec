package hooks

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/pocketbase/pocketbase"
	"github.com/spf13/cobra"

	"sokuji/internal/ledger/verify"
)

// newLedgerCommand makes the commands that read the books, of a running server, of
// a stopped one or of a backup. None of them writes.
func newLedgerCommand() *cobra.Command {
	command := &cobra.Command{
		Use:          "ledger",
		Short:        "Verifies the ledger, and writes checkpoints and statements of it",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(newLedgerVerifyCommand(), newLedgerCheckpointCommand(), newLedgerStatementCommand())
	for _, child := range command.Commands() {
		child.SilenceUsage = true
	}
	return command
}

// isChosen tells whether the process was started with a command, or one below it.
func isChosen(app *pocketbase.PocketBase, wanted *cobra.Command) bool {
	chosen, _, err := app.RootCmd.Find(os.Args[1:])
	if err != nil {
		return false
	}
	for ; chosen != nil; chosen = chosen.Parent() {
		if chosen == wanted {
			return true
		}
	}
	return false
}

// executeAlone runs the chosen command without PocketBase's start, which would
// create a data folder, open its files to write and change their schema. The
// first interrupt ends the command, a second one the process.
func executeAlone(app *pocketbase.PocketBase) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return interrupted(app.RootCmd.ExecuteContext(ctx))
}

// interrupted says what an interruption looks like to whoever caused it.
func interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	return err
}

// booksSource is where a command finds the books.
type booksSource struct{ backup string }

func (b *booksSource) bind(command *cobra.Command) {
	command.Flags().StringVar(&b.backup, "backup", "", "a backup, as the zip or its data.db, instead of the data directory")
}

// read opens the books, calls a function with them and closes them. What was read
// from a file that somebody began to write to is worth nothing, so that is looked
// at before the function's own error.
func (b *booksSource) read(command *cobra.Command, use func(*verify.Database) error) (err error) {
	database, err := b.open(command)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	err = use(database)
	if changed := database.Unchanged(); changed != nil {
		return changed
	}
	return err
}

func (b *booksSource) open(command *cobra.Command) (*verify.Database, error) {
	if b.backup == "" {
		folder, err := command.Flags().GetString("dir")
		if err != nil {
			return nil, err
		}
		return verify.OpenReadOnly(filepath.Join(folder, "data.db"))
	}
	if command.Flags().Changed("dir") {
		return nil, errors.New("--dir and --backup exclude each other: give one of them")
	}
	return verify.OpenBackup(command.Context(), b.backup)
}
