package export

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"time"
)

// WriteUser writes what is held on a user as one JSON document, of one snapshot and
// in constant memory. It holds the snapshot until the last byte is taken, so the
// context and the writer must have an end. After an error the document is broken
// off: whoever reads it must be told.
func WriteUser(ctx context.Context, db *sql.DB, userID string, now time.Time, to io.Writer) error {
	return view(ctx, db, func(s snapshot) error {
		out := bufio.NewWriterSize(to, writeBufferBytes)
		u := userWriter{snapshot: s, userID: userID, out: out}
		if err := u.write(now); err != nil {
			return err
		}
		return out.Flush()
	})
}

type userWriter struct {
	snapshot
	userID string
	out    *bufio.Writer
	line   bytes.Buffer
}

func (u *userWriter) write(now time.Time) error {
	head, err := json.Marshal(now.UTC().Format(writtenTime))
	if err != nil {
		return err
	}
	if _, err := u.out.WriteString(`{"exportedAt":` + string(head)); err != nil {
		return err
	}
	for _, t := range tables {
		if t.member == "" {
			continue
		}
		if err := u.member(t); err != nil {
			return err
		}
	}
	_, err = u.out.WriteString("\n}\n")
	return err
}

// member writes the user's rows of one table: a list, or for tables with one row
// at most that row or null.
func (u *userWriter) member(t table) error {
	if _, err := u.out.WriteString(",\n\"" + t.member + `":`); err != nil {
		return err
	}
	var columns []column
	for _, column := range t.columns {
		if !column.isSecret {
			columns = append(columns, column)
		}
	}
	opening, between, closing := "[", ",\n", "]"
	if t.isSingle {
		opening, closing = "", ""
	}
	if _, err := u.out.WriteString(opening); err != nil {
		return err
	}
	rows := 0
	err := u.each(t, columns, t.owned, t.ownOrder, func(values []any) error {
		u.line.Reset()
		if rows++; rows > 1 {
			u.line.WriteString(between)
		}
		if err := appendObject(&u.line, columns, values); err != nil {
			return err
		}
		_, err := u.out.Write(u.line.Bytes())
		return err
	}, u.userID)
	if err != nil {
		return err
	}
	if t.isSingle && rows == 0 {
		closing = "null"
	}
	_, err = u.out.WriteString(closing)
	return err
}
