package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
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
	// fillBatch is how many entries are written in a transaction while a file is
	// filled.
	fillBatch = 20_000
)

func walletID(number int) string { return fmt.Sprintf(walletIDFormat, number) }

// filling is what a data folder begins with.
type filling struct {
	wallets int
	// rows are the entries of all wallets. Each wallet's first is a mint of
	// walletTokens; the others are uses of one token, in turn.
	rows int
	// mints makes the others mints too, which leave no usage rows.
	mints bool
}

// fillBooks makes a new data folder with wallets and entries whose chains and
// roll-ups are valid. It applies the ledger's own rules and writes by the
// ledger's own store, but many entries at a time and without waiting for the
// disk. No server may run on the folder.
func fillBooks(ctx context.Context, folder string, with filling) (err error) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: folder, DBConnect: hooks.ConnectDatabase})
	if err := app.Bootstrap(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, app.ResetBootstrapState()) }()
	if err := app.RunAllMigrations(); err != nil {
		return err
	}
	if _, err := app.NonconcurrentDB().NewQuery(`PRAGMA synchronous = OFF`).Execute(); err != nil {
		return err
	}
	if err := createWallets(app, with.wallets); err != nil {
		return err
	}
	store, err := openStore(app)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return newFiller(store, with).fill(ctx)
}

const numbers = `WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < {:count}) `

func createWallets(app core.App, wallets int) error {
	const id = `printf('` + walletIDFormat + `', i)`
	for _, text := range []string{
		`INSERT INTO wallets (id, subject_type, subject_id, created_at, updated_at) ` +
			numbers + `SELECT ` + id + `, 'user', ` + id + `, {:now}, {:now} FROM numbers`,
		`INSERT INTO entitlements (id, subject_type, subject_id, plan_id, max_concurrent_sessions, rate_limit_rpm, features, updated_at) ` +
			numbers + `SELECT ` + id + `, 'user', ` + id + `, 'free_plan', 1, 60, '["basic"]', {:now} FROM numbers`,
	} {
		if _, err := app.NonconcurrentDB().NewQuery(text).Bind(dbx.Params{"count": wallets, "now": now()}).Execute(); err != nil {
			return fmt.Errorf("create wallets: %w", err)
		}
	}
	return nil
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

// filler writes the entries of a filling.
type filler struct {
	store   *sqlitestore.Store
	with    filling
	ids     *ledger.Identifiers
	wallets []ledger.Wallet
}

func newFiller(store *sqlitestore.Store, with filling) *filler {
	f := &filler{store: store, with: with, ids: ledger.NewIdentifiers(rand.Reader), wallets: make([]ledger.Wallet, with.wallets)}
	for i := range f.wallets {
		f.wallets[i].Subject = ledger.UserSubject(walletID(i))
	}
	return f
}

func (f *filler) fill(ctx context.Context) error {
	rows := max(f.with.rows, f.with.wallets)
	for from := 0; from < rows; from += fillBatch {
		if err := f.write(ctx, from, min(from+fillBatch, rows)); err != nil {
			return err
		}
	}
	return nil
}

// write stores the entries of the numbers from..to in one transaction.
func (f *filler) write(ctx context.Context, from, to int) error {
	b := fillerBatch{filler: f, now: time.Now().UTC().Truncate(time.Millisecond), touched: make(map[int]bool), rolled: make(map[int]int)}
	for number := from; number < to; number++ {
		if err := b.add(number); err != nil {
			return err
		}
	}
	for _, wallet := range b.order {
		b.changes.Wallets = append(b.changes.Wallets, f.wallets[wallet])
	}
	tx, err := f.store.Begin(ctx)
	if err != nil {
		return err
	}
	if err := tx.Write(&b.changes); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// fillerBatch is one transaction in the making. It has one moment, and so one
// day and one quarter of an hour for each wallet.
type fillerBatch struct {
	*filler
	now     time.Time
	changes ledger.Changes
	touched map[int]bool
	order   []int       // of the touched wallets
	rolled  map[int]int // wallet to its place in both roll-ups
}

func (b *fillerBatch) add(number int) error {
	id, err := b.ids.Next(b.now)
	if err != nil {
		return err
	}
	wallet := number % len(b.wallets)
	outcome, err := ledger.Apply(b.wallets[wallet], b.operation(number), ledger.Facts{Now: b.now, ID: id})
	if err != nil {
		return err
	}
	b.wallets[wallet] = outcome.Wallet
	if !b.touched[wallet] {
		b.touched[wallet] = true
		b.order = append(b.order, wallet)
	}
	b.changes.Entries = append(b.changes.Entries, outcome.Entry)
	if outcome.Usage != nil {
		b.changes.Usage = append(b.changes.Usage, outcome.Usage)
		b.rollUp(wallet, outcome.Usage)
	}
	return nil
}

func (b *fillerBatch) operation(number int) ledger.Operation {
	request := ledger.Request{Subject: ledger.UserSubject(walletID(number % len(b.wallets)))}
	switch {
	case number < len(b.wallets):
		return ledger.Mint{Request: request, Amount: walletTokens}
	case b.with.mints:
		return ledger.Mint{Request: request, Amount: 1}
	}
	return ledger.Use{Request: request, Amount: 1}
}

// rollUp adds a use to its wallet's roll-ups.
func (b *fillerBatch) rollUp(wallet int, u *ledger.UsageRow) {
	at, known := b.rolled[wallet]
	if !known {
		at = len(b.changes.Daily)
		b.rolled[wallet] = at
		b.changes.Daily = append(b.changes.Daily, ledger.DailyUsage{
			Subject: u.Subject, Day: u.CreatedAt.Format(time.DateOnly),
		})
		b.changes.Quarters = append(b.changes.Quarters, ledger.QuarterUsage{
			Subject: u.Subject, Slot: u.CreatedAt.Unix() / ledger.QuarterSeconds,
		})
	}
	for _, totals := range []*ledger.UsageTotals{&b.changes.Daily[at].UsageTotals, &b.changes.Quarters[at].UsageTotals} {
		totals.Uses++
		totals.Tokens += u.ChargedTokens
	}
}
