package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"sokuji/hooks"
	"sokuji/internal/ledger"
)

const (
	bookFile = "data.db"
	// loopBatch is how many charges the larger loop puts into a transaction:
	// as many as the server does at most.
	loopBatch = 256
)

// loop charges wallets with bare SQL, to tell what driver and disk allow: the
// ledger row, the wallet and the usage row of each charge, on a copy of the
// server's file. Balances come from memory, so that it only writes.
type loop struct {
	db      *sql.DB
	write   [3]*sql.Stmt // in the order of loopStatements
	ids     *ledger.Identifiers
	wallets []loopWallet
	next    int
}

type loopWallet struct {
	id           string
	seq, balance int64
}

var loopStatements = [3]string{
	`INSERT INTO wallet_ledger (id, subject_type, subject_id, seq, amount_tokens, balance_after, event_type, created_at, prev_hash, hash)
	 VALUES (?, 'user', ?, ?, -1, ?, 'use', ?, ?, ?)`,
	`UPDATE wallets SET balance_tokens = ?, seq = ?, head_hash = ?, updated_at = ? WHERE id = ?`,
	`INSERT INTO usage_logs (id, subject_type, subject_id, charged_tokens, ledger_id, created_at) VALUES (?, 'user', ?, 1, ?, ?)`,
}

func openLoop(folder string, wallets int) (*loop, error) {
	pool, err := hooks.ConnectDatabase(filepath.Join(folder, bookFile))
	if err != nil {
		return nil, err
	}
	l := &loop{db: pool.DB(), ids: ledger.NewIdentifiers(rand.Reader), wallets: make([]loopWallet, wallets)}
	l.db.SetMaxOpenConns(1)
	for i, text := range loopStatements {
		if l.write[i], err = l.db.Prepare(text); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	for i := range l.wallets {
		w := loopWallet{id: walletID(i)}
		if err := l.db.QueryRow(`SELECT seq, balance_tokens FROM wallets WHERE id = ?`, w.id).Scan(&w.seq, &w.balance); err != nil {
			return nil, errors.Join(fmt.Errorf("wallet %s: %w", w.id, err), l.close())
		}
		l.wallets[i] = w
	}
	return l, nil
}

func (l *loop) close() error { return l.db.Close() }

// run commits transactions of so many charges for the time of a cell. The
// figures count charges; the times are those of a transaction.
func (l *loop) run(ctx context.Context, charges int, seconds time.Duration) (figures, error) {
	var seen tally
	warm := time.Now().Add(seconds / warmUpShare)
	end := warm.Add(seconds)
	for start := time.Now(); start.Before(end); start = time.Now() {
		if err := l.commit(ctx, charges); err != nil {
			return figures{}, err
		}
		seen.answered += charges
		if start.After(warm) {
			seen.taken = append(seen.taken, time.Since(start))
		}
	}
	return seen.figures(seconds, charges)
}

func (l *loop) commit(ctx context.Context, charges int) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	var write [3]*sql.Stmt
	for i, stmt := range l.write {
		write[i] = tx.Stmt(stmt)
	}
	for range charges {
		if err := l.charge(write); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func (l *loop) charge(write [3]*sql.Stmt) error {
	w := &l.wallets[l.next%len(l.wallets)]
	l.next++
	w.seq++
	w.balance--
	id, err := l.ids.Next(time.Now())
	if err != nil {
		return err
	}
	moment := now()
	for i, arguments := range [3][]any{
		{id, w.id, w.seq, w.balance, moment, naiveHash, naiveHash},
		{w.balance, w.seq, naiveHash, moment, w.id},
		{id, w.id, id, moment},
	} {
		if _, err := write[i].Exec(arguments...); err != nil {
			return err
		}
	}
	return nil
}
