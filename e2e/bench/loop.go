package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sokuji/hooks"
	"sokuji/internal/ledger"
)

const (
	bookFile = "data.db"
	// loopStride is how far apart the wallets of consecutive charges are: a prime,
	// so that all get their turn, and neighbours in the index do not come together.
	loopStride = 7919
)

// loop charges wallets with bare SQL, to tell what driver and disk allow: the
// rows that the server writes, on a copy of its file. Balances come from memory,
// so that it only writes.
type loop struct {
	db      *sql.DB
	write   [loopWrites]*sql.Stmt
	ids     *ledger.Identifiers
	wallets []loopWallet
	next    int
	variant loopVariant
}

// loopVariant is another way to write than the server's.
type loopVariant struct {
	prepare      []string // statements that change the file or the connection first
	withoutDaily bool     // leaves the roll-up by day out
}

type loopWallet struct {
	id           string
	seq, balance int64
}

// The statements of a loop.
const (
	writeEntry = iota
	writeUsage
	writeDaily
	writeQuarter
	writeWallet
	loopWrites
)

var loopStatements = [loopWrites]string{
	writeEntry: `INSERT INTO wallet_ledger (id, subject_type, subject_id, seq, amount_tokens, balance_after, event_type, created_at, prev_hash, hash)
	 VALUES (?, 'user', ?, ?, -1, ?, 'use', ?, ?, ?)`,
	writeUsage: `INSERT INTO usage_logs (id, subject_type, subject_id, charged_tokens, ledger_id, created_at) VALUES (?, 'user', ?, 1, ?, ?)`,
	writeDaily: `INSERT INTO usage_daily (id, subject_type, subject_id, day, uses, tokens) VALUES (?, 'user', ?, ?, ?, ?)
	 ON CONFLICT (subject_id, day) DO UPDATE SET uses = uses + excluded.uses, tokens = tokens + excluded.tokens`,
	writeQuarter: `INSERT INTO usage_quarters (slot, subject_id, subject_type, uses, tokens, input_tokens, output_tokens) VALUES (?, ?, 'user', ?, ?, 0, 0)
	 ON CONFLICT (slot, subject_id) DO UPDATE SET uses = uses + excluded.uses, tokens = tokens + excluded.tokens`,
	writeWallet: `UPDATE wallets SET balance_tokens = ?, seq = ?, head_hash = ?, updated_at = ? WHERE id = ?`,
}

func openLoop(folder string, wallets int, variant loopVariant) (_ *loop, err error) {
	pool, err := hooks.ConnectDatabase(filepath.Join(folder, bookFile))
	if err != nil {
		return nil, err
	}
	l := &loop{db: pool.DB(), ids: ledger.NewIdentifiers(rand.Reader), wallets: make([]loopWallet, wallets), variant: variant}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	l.db.SetMaxOpenConns(1)
	for _, statement := range variant.prepare {
		if _, err := l.db.Exec(statement); err != nil {
			return nil, fmt.Errorf("%s: %w", statement, err)
		}
	}
	for i, text := range loopStatements {
		if l.write[i], err = l.db.Prepare(text); err != nil {
			return nil, err
		}
	}
	for i := range l.wallets {
		w := loopWallet{id: walletID(i)}
		if err := l.db.QueryRow(`SELECT seq, balance_tokens FROM wallets WHERE id = ?`, w.id).Scan(&w.seq, &w.balance); err != nil {
			return nil, fmt.Errorf("wallet %s: %w", w.id, err)
		}
		l.wallets[i] = w
	}
	return l, nil
}

func (l *loop) close() error { return l.db.Close() }

// loopShape is one transaction of a loop: so many charges, all of one wallet as
// in the server's batches, or each of another. No charges are the least that a
// transaction can be, one wallet's row.
type loopShape struct {
	charges   int
	oneWallet bool
}

// run commits transactions of a shape for the time of a cell. The figures count
// charges; the times are those of a transaction. Nothing else runs in this process
// meanwhile, so its time on the processor is the loop's.
func (l *loop) run(ctx context.Context, shape loopShape, seconds time.Duration) (figures, error) {
	var seen tally
	spent := cpuTime(os.Getpid())
	warm := time.Now().Add(seconds / warmUpShare)
	end := warm.Add(seconds)
	for start := time.Now(); start.Before(end); start = time.Now() {
		if err := l.commit(ctx, shape); err != nil {
			return figures{}, err
		}
		seen.answered++
		if start.After(warm) {
			seen.taken = append(seen.taken, time.Since(start))
		}
	}
	sum, err := seen.figures(seconds, max(1, shape.charges))
	sum.cpu = (cpuTime(os.Getpid()) - spent) / time.Duration(max(1, sum.answered))
	return sum, err
}

func (l *loop) commit(ctx context.Context, shape loopShape) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	b := loopBatch{loop: l, moment: time.Now().UTC(), uses: make(map[*loopWallet]int64)}
	for i, stmt := range l.write {
		b.write[i] = tx.Stmt(stmt)
	}
	if shape.charges == 0 {
		l.wallets[0].balance-- // a row that stays as it was is not written, and nothing waits for the disk
		if err := b.writeWallet(&l.wallets[0]); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	for i := range shape.charges {
		if i == 0 || !shape.oneWallet {
			l.next = (l.next + loopStride) % len(l.wallets)
		}
		if err := b.charge(&l.wallets[l.next]); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if err := b.finish(); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// loopBatch is one transaction. Like the server, it writes a wallet and its
// roll-ups once, however often the wallet was charged.
type loopBatch struct {
	*loop
	write  [loopWrites]*sql.Stmt
	moment time.Time
	uses   map[*loopWallet]int64
	order  []*loopWallet
}

func (b *loopBatch) charge(w *loopWallet) error {
	id, err := b.ids.Next(b.moment)
	if err != nil {
		return err
	}
	w.seq++
	w.balance--
	if b.uses[w]++; b.uses[w] == 1 {
		b.order = append(b.order, w)
	}
	at := asStored(b.moment)
	if _, err := b.write[writeEntry].Exec(id, w.id, w.seq, w.balance, at, naiveHash, naiveHash); err != nil {
		return err
	}
	_, err = b.write[writeUsage].Exec(id, w.id, id, at)
	return err
}

func (b *loopBatch) finish() error {
	day, slot := b.moment.Format(time.DateOnly), b.moment.Unix()/ledger.QuarterSeconds
	for _, w := range b.order {
		uses := b.uses[w]
		if !b.variant.withoutDaily {
			if _, err := b.write[writeDaily].Exec(w.id+day, w.id, day, uses, uses); err != nil {
				return err
			}
		}
		if _, err := b.write[writeQuarter].Exec(slot, w.id, uses, uses); err != nil {
			return err
		}
		if err := b.writeWallet(w); err != nil {
			return err
		}
	}
	return nil
}

func (b *loopBatch) writeWallet(w *loopWallet) error {
	_, err := b.write[writeWallet].Exec(w.balance, w.seq, naiveHash, asStored(b.moment), w.id)
	return err
}
