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
	_, err = run(ctx, chosen, os.Stdout, os.Stderr)
	return errors.Join(err, testserver.RemoveBinary())
}

// run measures every cell, checks the books, and writes the report. It takes
// its processes and its files away again, however it ends.
func run(ctx context.Context, chosen settings, report, progress io.Writer) (_ results, err error) {
	arena, err := openArena(ctx, chosen, progress)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, arena.close()) }()

	measured := make(results)
	for _, cell := range arena.cells(chosen) {
		fmt.Fprintf(progress, "%s: %s\n", counted(cell.connections, "connection"), cell.row)
		figures, err := cell.run(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s at %s: %w", cell.row, counted(cell.connections, "connection"), err)
		}
		measured[place{cell.row, cell.connections}] = figures
	}
	if err := arena.checkBooks(ctx, measured); err != nil {
		return nil, err
	}
	return measured, writeReport(report, chosen, measured)
}
