package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"sokuji/e2e/testserver"
)

const (
	// settleTime passes before memory is read, for the collector to end its turn.
	settleTime = 2 * time.Second
	// touchers read wallets at a time.
	touchers = 16
	// usedShare is the part of the wallets that are charged too, a tenth.
	usedShare = 10

	targetIdleBytes, betterIdleBytes       = 80 << 20, 40 << 20
	targetWalletsBytes, betterWalletsBytes = 40 << 20, 20 << 20
)

// measureMemory reads a server's memory idle, after as many requests about one
// wallet, and after one about each: the second shows what is only garbage.
func measureMemory(ctx context.Context, l *lab) ([]finding, error) {
	empty, err := l.serve("")
	if err != nil {
		return nil, err
	}
	idle, err := settled(empty)
	if err != nil {
		return nil, err
	}
	wallets := l.sizes.memoryWallets
	folder, err := l.filled(ctx, "memory", filling{wallets: wallets})
	if err != nil {
		return nil, err
	}
	var after [2]memory
	for i, spread := range []int{1, wallets} {
		server, err := l.serve(folder)
		if err != nil {
			return nil, err
		}
		if err := touch(ctx, server, wallets, spread); err != nil {
			return nil, err
		}
		if after[i], err = settled(server); err != nil {
			return nil, err
		}
		server.Kill() // the next one opens the same folder
	}
	what := fmt.Sprintf("memory after %d requests, a wallet each", wallets)
	return []finding{
		{
			what: "memory of an idle server : 80 MB", measured: megabytes(idle.resident), compared: megabytes(targetIdleBytes),
			ratio: float64(idle.resident) / targetIdleBytes, most: 1, better: float64(betterIdleBytes) / targetIdleBytes,
		},
		{
			what: "of it without pages of files", measured: megabytes(idle.own), compared: megabytes(idle.resident),
			ratio: float64(idle.own) / float64(idle.resident),
		},
		{
			what: what + ", above idle : 40 MB", measured: megabytes(after[1].resident - idle.resident), compared: megabytes(targetWalletsBytes),
			ratio: float64(after[1].resident-idle.resident) / targetWalletsBytes, most: 1, better: float64(betterWalletsBytes) / targetWalletsBytes,
		},
		{
			what: what + " : all to one wallet", measured: megabytes(after[1].resident), compared: megabytes(after[0].resident),
			ratio: float64(after[1].resident) / float64(after[0].resident),
		},
	}, nil
}

func settled(server *testserver.Server) (memory, error) {
	time.Sleep(settleTime)
	return memoryOf(server.PID())
}

// touch reads a balance so many times, going round the first spread wallets, and
// charges every tenth.
func touch(ctx context.Context, server *testserver.Server, requests, spread int) error {
	root, err := server.Superuser(ctx)
	if err != nil {
		return err
	}
	host := hostOf(server.URL)
	errs := make([]error, touchers)
	var workers sync.WaitGroup
	for number := range touchers {
		workers.Go(func() {
			c, err := dial(ctx, host, roleStartTimeout)
			if err != nil {
				errs[number] = err
				return
			}
			defer c.close()
			for i := number; i < requests && errs[number] == nil; i += touchers {
				errs[number] = touchOne(c, host, root, walletID(i%spread), i%usedShare == 0)
			}
		})
	}
	workers.Wait()
	return errors.Join(errs...)
}

func touchOne(c *connection, host, token, wallet string, charged bool) error {
	request := rawRequest(http.MethodGet, host, balancePath+"?userId="+wallet, token, "")
	if err := c.exchange(request, nil); err != nil || !charged {
		return err
	}
	body := fmt.Sprintf(`{"userId":%q,"amount":1}`, wallet)
	return c.exchange(rawRequest(http.MethodPost, host, usePath, token, body), nil)
}
