package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"sokuji/e2e/testserver"
)

func main() {
	if isRole(os.Args[1:]) {
		os.Exit(exitCode(playRole(os.Args[1:])))
	}
	os.Exit(exitCode(measure()))
}

func exitCode(err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func measure() error {
	chosen, err := parseSettings(os.Args[1:])
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	_, _, err = run(ctx, chosen, os.Stdout, os.Stderr)
	return errors.Join(err, testserver.RemoveBinary())
}

// run measures every part that was chosen, and writes the report. It takes its
// processes and its files away again, however it ends.
func run(ctx context.Context, chosen settings, report, progress io.Writer) (results, []finding, error) {
	measured := make(results)
	if chosen.wants(partCells) {
		if err := measureCells(ctx, chosen, measured, progress); err != nil {
			return nil, nil, err
		}
	}
	found, err := experiment(ctx, chosen, progress)
	if err != nil {
		return nil, nil, err
	}
	return measured, found, writeReport(report, chosen, measured, found)
}

// measureCells fills the table, and checks the books behind it.
func measureCells(ctx context.Context, chosen settings, measured results, progress io.Writer) (err error) {
	arena, err := openArena(ctx, chosen, progress)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, arena.close()) }()
	for _, cell := range arena.cells(chosen) {
		fmt.Fprintf(progress, "%s: %s\n", counted(cell.connections, "connection"), cell.row)
		figures, err := cell.run(ctx)
		if err != nil {
			return fmt.Errorf("%s at %s: %w", cell.row, counted(cell.connections, "connection"), err)
		}
		measured[place{cell.row, cell.connections}] = figures
	}
	return arena.checkBooks(ctx, measured)
}
