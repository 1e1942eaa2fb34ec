package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Defaults of a full run and of -quick.
const (
	defaultConnections = "1,16,64"
	defaultSeconds     = 3.0
	defaultRows        = 100_000 // ledger rows before the first cell
	defaultWallets     = 200     // that the charges go round
	defaultUsers       = 8       // that the balance is read of; each costs a slow password hash

	quickSeconds = 0.3
	quickRows    = 1_000

	maxConnections = 1024 // one cell's sockets, below the usual limit of open files
)

// settings say what to measure.
type settings struct {
	connections []int
	seconds     time.Duration // a cell
	rows        int
	wallets     int
	users       int
}

func parseSettings(arguments []string) (settings, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	connections := flags.String("connections", defaultConnections, "connection counts to measure at, as a comma-separated list")
	seconds := flags.Float64("seconds", defaultSeconds, "seconds that each cell is measured")
	rows := flags.Int("rows", defaultRows, "ledger rows in the file before the first cell")
	wallets := flags.Int("wallets", defaultWallets, "wallets that the charges go round")
	quick := flags.Bool("quick", false, fmt.Sprintf("a smoke test: %g seconds a cell, %d rows", quickSeconds, quickRows))
	if err := flags.Parse(arguments); err != nil {
		return settings{}, err
	}
	if *quick {
		shorten(flags, seconds, rows)
	}
	if flags.NArg() > 0 || *seconds <= 0 || *rows < 0 || *wallets < 1 {
		return settings{}, errors.New("-seconds and -wallets must be above 0, -rows 0 or more, and nothing may follow the flags")
	}
	counts, err := parseConnections(*connections)
	return settings{
		connections: counts,
		seconds:     time.Duration(*seconds * float64(time.Second)),
		rows:        *rows,
		wallets:     *wallets,
		users:       defaultUsers,
	}, err
}

// shorten sets what -quick means, where no other flag says something else.
func shorten(flags *flag.FlagSet, seconds *float64, rows *int) {
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if !given["seconds"] {
		*seconds = quickSeconds
	}
	if !given["rows"] {
		*rows = quickRows
	}
}

func parseConnections(list string) ([]int, error) {
	var counts []int
	for part := range strings.SplitSeq(list, ",") {
		count, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || count < 1 || count > maxConnections {
			return nil, fmt.Errorf("-connections must list numbers from 1 to %d, such as %s", maxConnections, defaultConnections)
		}
		counts = append(counts, count)
	}
	return counts, nil
}
