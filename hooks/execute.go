package hooks

import (
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/cmd"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/spf13/cobra"

	"sokuji/internal/datalock"
)

// Execute runs the command that the process was started with, and returns its
// error, which PocketBase itself would swallow.
func Execute(app *pocketbase.PocketBase) error {
	serve := cmd.NewServeCommand(app, true)
	superusers := cmd.NewSuperuserCommand(app)
	alone := []*cobra.Command{
		newLedgerCommand(), newSimulateCommand(), newImportCommand(), newExportCommand(), newPriceCommand(), newDemoCommand(),
	}
	app.RootCmd.AddCommand(superusers, serve)
	app.RootCmd.AddCommand(alone...)

	chosen, _, err := app.RootCmd.Find(os.Args[1:])
	if err != nil {
		return err // PocketBase would print it and end with 0
	}
	bindSuperuserMark(app, chosen, superusers)
	var failure error
	for _, command := range app.RootCmd.Commands() {
		keepError(command, &failure)
	}
	if slices.ContainsFunc(alone, func(command *cobra.Command) bool { return isChosen(app, command) }) {
		return executeAlone(app)
	}
	bindDataLock(app, serve)
	waitForRestart(app, serve)
	if err := app.Execute(); err != nil {
		return err
	}
	return failure
}

// keepError remembers the error of a command and of those below it.
func keepError(command *cobra.Command, failure *error) {
	for _, child := range command.Commands() {
		keepError(child, failure)
	}
	if command.RunE == nil {
		return
	}
	run := command.RunE
	command.SilenceErrors = true // main prints it
	command.RunE = func(command *cobra.Command, args []string) error {
		*failure = run(command, args)
		return *failure
	}
}

// dataFolderMode keeps a new data folder to the user that runs the server: it
// holds everybody's password hashes and token keys.
const dataFolderMode = 0o700

// bindDataLock makes sure that one process at a time writes the books of a data
// folder. It must hold the lock before PocketBase opens its files. Commands that
// only read, or only touch superusers, run beside a live server.
func bindDataLock(app *pocketbase.PocketBase, serve *cobra.Command) {
	chosen, _, err := app.RootCmd.Find(os.Args[1:])
	if err != nil || chosen != serve {
		return
	}
	var lock *datalock.Lock
	app.OnBootstrap().BindFunc(func(e *core.BootstrapEvent) error {
		if err := os.MkdirAll(app.DataDir(), dataFolderMode); err != nil {
			return err
		}
		var err error
		if lock, err = datalock.Acquire(app.DataDir(), "serve"); err != nil {
			return err
		}
		return e.Next()
	})
	app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		err := e.Next() // PocketBase closes its files first
		if lock != nil && !e.IsRestart {
			return lock.Release()
		}
		return err
	})
}

// restartTimeout is how long a restart may take until the process is replaced.
const restartTimeout = drainTimeout + 5*time.Second

// waitForRestart keeps serve from returning, and so the process from ending,
// while a restored backup replaces it: our drain shuts the server down before
// PocketBase's own guard against that.
func waitForRestart(app *pocketbase.PocketBase, serve *cobra.Command) {
	var restarting atomic.Bool
	app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{
		Id:       "sokujiRestart",
		Priority: beforePocketBase - 1,
		Func: func(e *core.TerminateEvent) error {
			restarting.Store(restarting.Load() || e.IsRestart)
			return e.Next()
		},
	})
	run := serve.RunE
	serve.RunE = func(command *cobra.Command, args []string) error {
		err := run(command, args)
		if restarting.Load() {
			time.Sleep(restartTimeout) // cut off when the process is replaced
		}
		return err
	}
}
