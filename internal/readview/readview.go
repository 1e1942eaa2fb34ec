// Package readview lets many queries see a database at one moment.
//
// It owns the read transaction that does it, and how one ends when its caller gave
// up. It must never write, and never outlive the function that it was opened for.
package readview

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// View runs a function in a read transaction: everything in it is seen at one
// moment. After the context is over the error is the context's, whatever it was
// that the interruption broke.
func View(ctx context.Context, db *sql.DB, read func(tx *sql.Tx) error) (err error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer func() {
		// After the context is over database/sql has rolled back already.
		if end := tx.Rollback(); !errors.Is(end, sql.ErrTxDone) {
			err = errors.Join(err, end)
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
	}()
	return read(tx)
}
