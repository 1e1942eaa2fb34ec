package export

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"sokuji/internal/readview"
)

// snapshot is one read transaction: everything in it is seen at one moment.
type snapshot struct {
	ctx context.Context
	tx  *sql.Tx
}

// view runs a function in a snapshot of its own.
func view(ctx context.Context, db *sql.DB, read func(snapshot) error) error {
	return readview.View(ctx, db, func(tx *sql.Tx) error { return read(snapshot{ctx, tx}) })
}

// each calls a function with every row of a table that meets a condition, in the
// form that it has outside. The values are only valid during the call.
func (s snapshot) each(t table, columns []column, condition, order string, row func(values []any) error, arguments ...any) (err error) {
	expressions := make([]string, len(columns))
	for i, column := range columns {
		expressions[i] = column.expression()
	}
	query := "SELECT " + strings.Join(expressions, ", ") + " FROM " + t.from
	if condition != "" {
		query += " WHERE " + condition
	}
	if order != "" {
		query += " ORDER BY " + order
	}
	rows, err := s.tx.QueryContext(s.ctx, query, arguments...)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.name, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range targets {
		targets[i] = &values[i]
	}
	for n := 1; rows.Next(); n++ {
		if err := rows.Scan(targets...); err != nil {
			return fmt.Errorf("read row %d of %s: %w", n, t.name, err)
		}
		if err := convert(columns, values); err != nil {
			return fmt.Errorf("row %d of %s (%v): %w", n, t.name, values[0], err)
		}
		if err := row(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

func convert(columns []column, values []any) (err error) {
	for i, column := range columns {
		if values[i], err = column.kind.convert(values[i]); err != nil {
			return fmt.Errorf("%s: %w", column.name, err)
		}
	}
	return nil
}

// number reads a single whole number.
func (s snapshot) number(query string, arguments ...any) (number int64, err error) {
	err = s.tx.QueryRowContext(s.ctx, query, arguments...).Scan(&number)
	return number, err
}

// check refuses a database that lacks what is to be exported.
func (s snapshot) check() error {
	for _, t := range tables {
		if err := s.each(t, t.columns, "FALSE", "", nil); err != nil {
			return fmt.Errorf("%w: this is not the data.db of a Sokuji server, or one of an older version, "+
				"which the server brings up to date when it starts", err)
		}
	}
	return nil
}
