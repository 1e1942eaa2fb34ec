package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Defaults of a full run and of -quick.
const (
	defaultConnections = "1,16,64,256"
	defaultSeconds     = 2.0
	defaultRows        = 100_000 // ledger rows before the first cell
	defaultWallets     = 200     // that the charges go round
	defaultUsers       = 8       // that the balance is read of; each costs a slow password hash

	quickSeconds = 0.3
	quickRows    = 1_000

	maxConnections = 1024 // one cell's sockets, below the usual limit of open files

	// fullVariable set to 1 measures at the sizes that the targets name.
	fullVariable = "BENCH_FULL"
)

// settings say what to measure.
type settings struct {
	connections []int
	seconds     time.Duration // a cell
	rows        int
	wallets     int
	users       int
	only        []string // the parts to run; empty: all
	sizes       sizes
}

// wants tells whether a part of the run was chosen.
func (s settings) wants(part string) bool {
	return len(s.only) == 0 || slices.Contains(s.only, part)
}

func parseSettings(arguments []string) (settings, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	connections := flags.String("connections", defaultConnections, "connection counts to measure at, as a comma-separated list")
	seconds := flags.Float64("seconds", defaultSeconds, "seconds that each cell is measured")
	rows := flags.Int("rows", defaultRows, "ledger rows in the file before the first cell")
	wallets := flags.Int("wallets", defaultWallets, "wallets that the charges go round")
	only := flags.String("only", "", "parts to run, as a comma-separated list of "+strings.Join(parts(), ", ")+"; empty: all")
	quick := flags.Bool("quick", false, fmt.Sprintf("a smoke test: %g seconds a cell, %d rows", quickSeconds, quickRows))
	if err := flags.Parse(arguments); err != nil {
		return settings{}, err
	}
	chosenSizes := usualSizes
	if os.Getenv(fullVariable) == "1" {
		chosenSizes = fullSizes
	}
	if *quick {
		shorten(flags, seconds, rows)
		chosenSizes = smokeSizes
	}
	if flags.NArg() > 0 || *seconds <= 0 || *rows < 0 || *wallets < 1 {
		return settings{}, errors.New("-seconds and -wallets must be above 0, -rows 0 or more, and nothing may follow the flags")
	}
	counts, errCounts := parseConnections(*connections)
	chosenParts, errParts := parseParts(*only)
	return settings{
		connections: counts,
		seconds:     time.Duration(*seconds * float64(time.Second)),
		rows:        *rows,
		wallets:     *wallets,
		users:       defaultUsers,
		only:        chosenParts,
		sizes:       chosenSizes,
	}, errors.Join(errCounts, errParts)
}

func parseParts(list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	chosen := strings.Split(list, ",")
	for _, part := range chosen {
		if !slices.Contains(parts(), part) {
			return nil, fmt.Errorf("-only knows no part %q: choose from %s", part, strings.Join(parts(), ", "))
		}
	}
	return chosen, nil
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
