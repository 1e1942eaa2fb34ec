package export

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// archive is a file of usage rows that left the database, or are about to.
type archive struct {
	file      string
	rows      int64
	isRemoved bool // its rows are no longer in the database
}

// archives writes the usage rows that lie in files. A file that cannot be read is
// told in the report: what is in the database is worth having without it.
func (w *whole) archives(t table, row func([]any) error) error {
	archives, err := w.archiveList()
	if err != nil {
		return err
	}
	for _, a := range archives {
		if w.options.ArchiveFolder == "" {
			w.report.Unread = append(w.report.Unread, a.file+": a backup's database is read without the files beside it")
			continue
		}
		failure, err := w.archive(t, a, row)
		if err != nil {
			return err
		}
		if failure != nil {
			w.report.Unread = append(w.report.Unread, a.file+": "+failure.Error())
		}
	}
	return nil
}

// archiveList reads the manifests: a row for 50,000 usage rows.
func (w *whole) archiveList() (archives []archive, err error) {
	rows, err := w.tx.QueryContext(w.ctx, `SELECT file, rows, removed FROM usage_archives ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read usage_archives: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var a archive
		if err := rows.Scan(&a.file, &a.rows, &a.isRemoved); err != nil {
			return nil, fmt.Errorf("read usage_archives: %w", err)
		}
		archives = append(archives, a)
	}
	return archives, rows.Err()
}

// archive writes the rows of one file that are not in the database. The failure is
// the file's; the error is the export's.
func (w *whole) archive(t table, a archive, row func([]any) error) (failure, err error) {
	file, failure := os.Open(filepath.Join(w.options.ArchiveFolder, filepath.Base(a.file)))
	if failure != nil {
		return failure, nil
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	unzipped, failure := gzip.NewReader(file)
	if failure != nil {
		return failure, nil
	}
	decoder := json.NewDecoder(unzipped)
	decoder.UseNumber()
	values := make([]any, len(t.columns))
	for n := int64(1); ; n++ {
		if err := w.ctx.Err(); err != nil {
			return nil, err
		}
		var members map[string]json.RawMessage
		if failure := decoder.Decode(&members); errors.Is(failure, io.EOF) {
			if n-1 != a.rows {
				return fmt.Errorf("it has %d rows and should have %d", n-1, a.rows), nil
			}
			return nil, nil
		} else if failure != nil {
			return fmt.Errorf("row %d: %w", n, failure), nil
		}
		if failure := readArchived(t.columns, members, values); failure != nil {
			return fmt.Errorf("row %d: %w", n, failure), nil
		}
		isThere, err := w.isInDatabase(a, values[0])
		if err != nil {
			return nil, err
		}
		if isThere {
			continue
		}
		if err := row(values); err != nil {
			return nil, err
		}
	}
}

// isInDatabase tells whether a row of a file is still in the table, too.
func (w *whole) isInDatabase(a archive, id any) (bool, error) {
	if a.isRemoved {
		return false, nil
	}
	found, err := w.number(`SELECT EXISTS (SELECT 1 FROM usage_logs WHERE id = ?)`, id)
	return found != 0, err
}

// readArchived takes the values of a row out of its JSON form, in which columns
// have the names of the table and JSON columns are JSON.
func readArchived(columns []column, members map[string]json.RawMessage, values []any) error {
	for i, column := range columns {
		raw, ok := members[column.name]
		if !ok || string(raw) == "null" {
			raw = nil
		}
		var err error
		values[i], err = archivedValue(column.kind, raw)
		if err != nil {
			return fmt.Errorf("%s: %w", column.name, err)
		}
	}
	return nil
}

func archivedValue(k kind, raw json.RawMessage) (any, error) {
	if raw == nil {
		return k.convert(nil)
	}
	switch k {
	case object:
		var text string // what a JSON column holds and is no JSON
		if json.Unmarshal(raw, &text) == nil && !json.Valid([]byte(text)) {
			return k.convert(text)
		}
		return k.convert(string(raw))
	case count, ratio:
		return k.convert(json.Number(raw))
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, err
	}
	return k.convert(text)
}
