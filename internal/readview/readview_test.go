package readview_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"sokuji/internal/readview"
)

func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "data.db")+"?_pragma=journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec(`CREATE TABLE numbers (n INTEGER); INSERT INTO numbers VALUES (1)`); err != nil {
		t.Fatal(err)
	}
	return db
}

func sum(t *testing.T, tx *sql.Tx) (sum int64) {
	t.Helper()
	if err := tx.QueryRow(`SELECT SUM(n) FROM numbers`).Scan(&sum); err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestAViewIsOfOneMoment(t *testing.T) {
	db := open(t)
	err := readview.View(t.Context(), db, func(tx *sql.Tx) error {
		before := sum(t, tx)
		if _, err := db.Exec(`INSERT INTO numbers VALUES (41)`); err != nil {
			t.Fatal(err)
		}
		if after := sum(t, tx); before != 1 || after != 1 {
			t.Errorf("saw %d, then %d; want 1 both times", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAViewEndsWithItsFunction(t *testing.T) {
	db := open(t)
	db.SetMaxOpenConns(1) // a view that stays open would block the next one for ever
	failure := errors.New("no")
	if err := readview.View(t.Context(), db, func(*sql.Tx) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("the function's error became %v", err)
	}
	if err := readview.View(t.Context(), db, func(*sql.Tx) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestWhoGaveUpIsTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := readview.View(ctx, open(t), func(tx *sql.Tx) error {
		cancel()
		return tx.QueryRowContext(ctx, `SELECT 1`).Scan(new(int))
	})
	if err != context.Canceled {
		t.Errorf("got %v", err)
	}
	if err := readview.View(ctx, open(t), func(*sql.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("before it began: %v", err)
	}
}
