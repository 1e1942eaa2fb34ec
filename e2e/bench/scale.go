package main

import (
	"context"
	"fmt"
)

// scaleWallets is how many wallets both files have, so that only the rows differ.
const scaleWallets = 1_000

// compareScale charges a file with many ledger rows and one with few.
func compareScale(ctx context.Context, l *lab) ([]finding, error) {
	var contenders []contender
	for _, rows := range []int{l.sizes.fewRows, l.sizes.manyRows} {
		wallets := min(scaleWallets, rows/2)
		folder, err := l.filled(ctx, fmt.Sprintf("scale-%d", rows), filling{wallets: wallets, rows: rows})
		if err != nil {
			return nil, err
		}
		server, err := l.serve(folder)
		if err != nil {
			return nil, err
		}
		use, err := l.useLoad(ctx, server, wallets)
		if err != nil {
			return nil, err
		}
		contenders = append(contenders, contender{fmt.Sprintf("use at %d ledger rows", rows), use.run})
	}
	seen, err := l.contest(ctx, contenders)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("at %d: use with %d ledger rows : with %d", comparedConnections, l.sizes.manyRows, l.sizes.fewRows)
	found := compareCosts(what, seen[1], seen[0])
	found[0].least, found[0].better = 0.7, 0.9
	return found, nil
}

// collectorSettings are tried as the environment of the server; the first is
// what it runs with by itself.
var collectorSettings = []string{"GOGC=100", "GOGC=200", "GOGC=400"}

// compareCollector charges servers that differ in how often Go collects garbage.
func compareCollector(ctx context.Context, l *lab) ([]finding, error) {
	first, err := l.filled(ctx, "collector", filling{wallets: l.wallets, rows: l.rows})
	if err != nil {
		return nil, err
	}
	var contenders []contender
	for i, setting := range collectorSettings {
		folder, err := l.copied(first, fmt.Sprintf("collector-%d", i))
		if err != nil {
			return nil, err
		}
		server, err := l.serve(folder, setting)
		if err != nil {
			return nil, err
		}
		use, err := l.useLoad(ctx, server, l.wallets)
		if err != nil {
			return nil, err
		}
		contenders = append(contenders, contender{setting, use.run})
	}
	seen, err := l.contest(ctx, contenders)
	if err != nil {
		return nil, err
	}
	usual, err := memoryOf(l.servers[0].PID())
	if err != nil {
		return nil, err
	}
	var found []finding
	for i, setting := range collectorSettings[1:] {
		occupied, err := memoryOf(l.servers[i+1].PID())
		if err != nil {
			return nil, err
		}
		against := fmt.Sprintf("with %s : %s", setting, collectorSettings[0])
		found = append(found, compareCosts(fmt.Sprintf("at %d: use %s", comparedConnections, against), seen[i+1], seen[0])...)
		found = append(found, finding{
			what:     "memory after it " + against,
			measured: megabytes(occupied.resident), compared: megabytes(usual.resident),
			ratio: float64(occupied.resident) / float64(usual.resident),
		})
	}
	return found, nil
}
