package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sokuji/e2e/testserver"
)

// arena is everything that runs while the cells are measured.
type arena struct {
	folder   string // of all files
	bare     *process
	naive    *process
	server   *testserver.Server
	loop     *loop
	accounts []account
	wallets  int
	minted   int64 // tokens, in all wallets of the server
	used     int64 // tokens, before the first cell

	rootToken, naiveToken string
}

// openArena fills the files and starts the servers, one after the other, so that
// a machine with few cores is not measured while it still works for the next.
func openArena(ctx context.Context, chosen settings, progress io.Writer) (_ *arena, err error) {
	a := &arena{wallets: chosen.wallets}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	if a.folder, err = os.MkdirTemp("", "sokuji-bench-"); err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "filling two files with %d ledger rows each\n", chosen.rows)
	for _, open := range []func(context.Context, settings) error{a.openLoop, a.openServer, a.openNaive, a.openBare} {
		if err := open(ctx, chosen); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// openLoop fills the server's file and gives the loop a copy of it.
func (a *arena) openLoop(ctx context.Context, chosen settings) error {
	books, copied := filepath.Join(a.folder, "server"), filepath.Join(a.folder, "loop")
	if err := fillBooks(ctx, books, filling{wallets: chosen.wallets, rows: chosen.rows}); err != nil {
		return fmt.Errorf("fill the books: %w", err)
	}
	if err := os.CopyFS(copied, os.DirFS(books)); err != nil {
		return err
	}
	a.minted = int64(chosen.wallets) * walletTokens
	a.used = int64(max(0, chosen.rows-chosen.wallets))
	var err error
	a.loop, err = openLoop(copied, chosen.wallets, loopVariant{})
	return err
}

func (a *arena) openServer(ctx context.Context, chosen settings) error {
	var err error
	if a.server, err = testserver.Open(testserver.Options{Dir: filepath.Join(a.folder, "server")}); err != nil {
		return err
	}
	if a.rootToken, err = a.server.Superuser(ctx); err != nil {
		return err
	}
	for range chosen.users {
		one, err := newAccount(ctx, a.server)
		if err != nil {
			return fmt.Errorf("make an account: %w", err)
		}
		a.accounts = append(a.accounts, one)
		a.minted += walletTokens
	}
	return nil
}

func (a *arena) openNaive(ctx context.Context, chosen settings) error {
	var err error
	if a.naive, err = startNaive(ctx, filepath.Join(a.folder, "naive"), chosen.wallets, chosen.rows); err != nil {
		return err
	}
	client := testserver.Server{URL: a.naive.URL}
	a.naiveToken, err = client.SignInSuperuser(ctx, testserver.SuperuserEmail, testserver.SuperuserPassword)
	return err
}

func (a *arena) openBare(ctx context.Context, _ settings) error {
	var err error
	a.bare, err = startBare(ctx)
	return err
}

// close ends every process and deletes every file.
func (a *arena) close() error {
	var errs []error
	for _, started := range []*process{a.bare, a.naive} {
		if started != nil {
			started.close()
		}
	}
	if a.server != nil {
		errs = append(errs, a.server.Close())
	}
	if a.loop != nil {
		errs = append(errs, a.loop.close())
	}
	if a.folder != "" {
		errs = append(errs, os.RemoveAll(a.folder))
	}
	return errors.Join(errs...)
}

// checkBooks makes sure that the server charged exactly what it said it did: a
// server that forgets is fast.
func (a *arena) checkBooks(ctx context.Context, measured results) error {
	want := a.minted - a.used
	for at, seen := range measured {
		switch at.row {
		case rowUse, rowUseByKey, rowHoldSettle, rowBatchSmall, rowBatchLarge:
			want -= int64(seen.answered)
		}
	}
	var have int64
	for number := range a.wallets {
		balance, err := a.server.Balance(ctx, walletID(number))
		if err != nil {
			return err
		}
		have += balance.Balance
	}
	for _, one := range a.accounts {
		balance, err := a.server.Balance(ctx, one.userID)
		if err != nil {
			return err
		}
		have += balance.Balance
	}
	if have != want {
		return fmt.Errorf("the books are wrong: the wallets hold %d tokens, by the answers it should be %d", have, want)
	}
	return nil
}
