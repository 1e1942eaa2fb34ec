package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/hooks"
	"sokuji/internal/ledger"
	"sokuji/internal/ledger/sqlitestore"
)

const (
	// walletIDFormat makes ids as long as PocketBase's, 15 characters.
	walletIDFormat = "wallet%09d"
	// walletTokens is what each wallet begins with: more than a run can spend.
	walletTokens = int64(1_000_000_000)
	// fillers is how many operations wait at a time while the file is filled:
	// enough for whole batches.
	fillers = 512
)

func walletID(number int) string { return fmt.Sprintf(walletIDFormat, number) }

// fillBooks writes wallets and rows into a new data folder through the ledger
// itself, so that the books are as valid as if the server had been asked. No
// server may run on the folder.
func fillBooks(ctx context.Context, folder string, wallets, rows int) (err error) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: folder, DBConnect: hooks.ConnectDatabase})
	if err := app.Bootstrap(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, app.ResetBootstrapState()) }()
	if err := app.RunAllMigrations(); err != nil {
		return err
	}
	if err := createWallets(app, wallets); err != nil {
		return err
	}
	store, err := openStore(app)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	books := ledger.Open(store, ledger.Options{Now: time.Now, Random: rand.Reader})
	defer books.Close()
	if err := inParallel(ctx, wallets, func(i int) error { return mint(ctx, books, i) }); err != nil {
		return err
	}
	return inParallel(ctx, rows-wallets, func(i int) error { return charge(ctx, books, i%wallets) })
}

func createWallets(app core.App, wallets int) error {
	return app.RunInTransaction(func(tx core.App) error {
		for number := range wallets {
			if err := sqlitestore.CreateWallet(tx.DB(), ledger.UserSubject(walletID(number)), time.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

func openStore(app core.App) (*sqlitestore.Store, error) {
	var pools [2]*sql.DB
	for i, builder := range []dbx.Builder{app.NonconcurrentDB(), app.ConcurrentDB()} {
		pool, ok := builder.(*dbx.DB)
		if !ok {
			return nil, errors.New("PocketBase's database is not a plain connection pool")
		}
		pools[i] = pool.DB()
	}
	return sqlitestore.Open(pools[0], pools[1])
}

func mint(ctx context.Context, books *ledger.Ledger, wallet int) error {
	_, err := books.Do(ctx, ledger.Mint{
		Request: ledger.Request{Subject: ledger.UserSubject(walletID(wallet))}, Amount: walletTokens,
	})
	return err
}

func charge(ctx context.Context, books *ledger.Ledger, wallet int) error {
	_, err := books.Do(ctx, ledger.Use{
		Request: ledger.Request{Subject: ledger.UserSubject(walletID(wallet))}, Amount: 1,
	})
	return err
}

// inParallel does the numbers below count, many at a time, and returns the first
// error.
func inParallel(ctx context.Context, count int, do func(number int) error) error {
	numbers := make(chan int)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var workers sync.WaitGroup
	for range fillers {
		workers.Go(func() {
			for number := range numbers {
				if err := do(number); err != nil {
					fail(err)
				}
			}
		})
	}
	for number := 0; number < count && ctx.Err() == nil; number++ {
		numbers <- number
	}
	close(numbers)
	workers.Wait()
	return context.Cause(ctx)
}
