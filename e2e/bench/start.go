package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sokuji/e2e/testserver"
)

const (
	// targetStart is until when a server with many wallets answers.
	targetStart, betterStart = time.Second, 500 * time.Millisecond
	startTries               = 3
)

// measureStart times starts on a folder with many wallets and on one without,
// from the process to the first answer.
func measureStart(ctx context.Context, l *lab) ([]finding, error) {
	var took [2]time.Duration
	for i, wallets := range []int{1, l.sizes.startWallets} {
		folder, err := l.filled(ctx, fmt.Sprintf("start-%d", wallets), filling{wallets: wallets})
		if err != nil {
			return nil, err
		}
		if took[i], err = startTime(folder); err != nil {
			return nil, err
		}
	}
	return []finding{
		{
			what:     fmt.Sprintf("start with %d wallets : 1 s", l.sizes.startWallets),
			measured: milliseconds(took[1]), compared: milliseconds(targetStart),
			ratio: float64(took[1]) / float64(targetStart), most: 1, better: float64(betterStart) / float64(targetStart),
		},
		{
			what:     fmt.Sprintf("start with %d wallets : with 1", l.sizes.startWallets),
			measured: milliseconds(took[1]), compared: milliseconds(took[0]), ratio: float64(took[1]) / float64(took[0]),
		},
	}, nil
}

// startTime is the middle of a few starts. One before them does what only the
// first start on a folder has to.
func startTime(folder string) (time.Duration, error) {
	var tries []time.Duration
	for try := range 1 + startTries {
		begin := time.Now()
		server, err := testserver.Open(testserver.Options{Dir: folder})
		if err != nil {
			return 0, err
		}
		if try > 0 {
			tries = append(tries, time.Since(begin))
		}
		if _, err := server.Stop(); err != nil {
			return 0, err
		}
	}
	slices.Sort(tries)
	return tries[len(tries)/2], nil
}
