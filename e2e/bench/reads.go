package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"sokuji/hooks"
)

// readWallets share the usage rows that are searched.
const readWallets = 1_000

// searches are ways to find one wallet's uses: the server's by its own index, by
// the ledger's, and by none, as a list of the JS SDK would without that index.
var searches = []struct{ name, text string }{
	{"50 uses by the usage index", `SELECT * FROM usage_logs WHERE subject_id = ? AND subject_type = 'user' ORDER BY created_at DESC, id DESC LIMIT 51`},
	{"50 uses by the ledger's index", `SELECT u.* FROM wallet_ledger l JOIN usage_logs u ON u.id = l.id
	WHERE l.subject_id = ? AND l.event_type = 'use' ORDER BY l.seq DESC LIMIT 51`},
	{"30 uses by no index", `SELECT * FROM usage_logs NOT INDEXED WHERE subject_id = ? AND subject_type = 'user' ORDER BY created_at DESC LIMIT 30`},
	{"their number by the usage index", `SELECT COUNT(*) FROM usage_logs WHERE subject_id = ? AND subject_type = 'user'`},
	{"their number by no index", `SELECT COUNT(*) FROM usage_logs NOT INDEXED WHERE subject_id = ? AND subject_type = 'user'`},
}

// compareReads tells what readers would pay for a table without its index.
func compareReads(ctx context.Context, l *lab) (_ []finding, err error) {
	wallets := min(readWallets, l.sizes.readRows/2)
	folder, err := l.filled(ctx, "reads", filling{wallets: wallets, rows: l.sizes.readRows + wallets})
	if err != nil {
		return nil, err
	}
	pool, err := hooks.ConnectDatabase(filepath.Join(folder, bookFile))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	var contenders []contender
	for _, one := range searches {
		contenders = append(contenders, contender{one.name, func(ctx context.Context) (figures, error) {
			return search(ctx, pool.DB(), one.text, wallets, l.seconds)
		}})
	}
	seen, err := l.contest(ctx, contenders)
	if err != nil {
		return nil, err
	}
	compare := func(subject, reference int) finding {
		return finding{
			what:     fmt.Sprintf("p50 in %d rows: %s : %s", l.sizes.readRows, searches[subject].name, searches[reference].name),
			measured: milliseconds(seen[subject].p50), compared: milliseconds(seen[reference].p50),
			ratio: float64(seen[subject].p50) / float64(seen[reference].p50),
		}
	}
	return []finding{compare(1, 0), compare(2, 0), compare(4, 3)}, nil
}

// search asks for one wallet after the other for the time of a cell, and reads
// every column of the answers.
func search(ctx context.Context, db *sql.DB, text string, wallets int, seconds time.Duration) (figures, error) {
	var seen tally
	for number, end := 0, time.Now().Add(seconds); ; number++ {
		start := time.Now()
		if !start.Before(end) && number > 0 {
			return seen.figures(seconds, 1)
		}
		if err := readAll(ctx, db, text, walletID(number*loopStride%wallets)); err != nil {
			return figures{}, err
		}
		seen.answered++
		seen.taken = append(seen.taken, time.Since(start))
	}
}

func readAll(ctx context.Context, db *sql.DB, text, wallet string) (err error) {
	rows, err := db.QueryContext(ctx, text, wallet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]sql.RawBytes, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
	}
	return rows.Err()
}
