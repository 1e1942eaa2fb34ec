package export

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Format is how the whole is written.
type Format string

const (
	SQL   Format = "sql"   // one file
	JSONL Format = "jsonl" // a folder with a file a table, an object a line
)

// ParseFormat reads the name of a format.
func ParseFormat(text string) (Format, error) {
	switch format := Format(text); format {
	case SQL, JSONL:
		return format, nil
	}
	return "", fmt.Errorf("%q is neither %s nor %s", text, SQL, JSONL)
}

const (
	filePermissions   = 0o600 // password hashes are in it
	folderPermissions = 0o700

	// unfinished ends the name of what is not whole yet. A run that was interrupted
	// may leave it behind; the next one to the same place begins anew.
	unfinished = ".unfinished"

	writeBufferBytes = 256 << 10
	// progressRows is after how many rows the progress is told.
	progressRows = 1_000
)

// Options say what to export, and where to.
type Options struct {
	DB     *sql.DB // open to be read; one snapshot of it is exported
	Format Format
	Path   string // a file, or a folder for JSONL; nothing may be there yet
	// ArchiveFolder holds old usage rows in files; empty when there is none to read.
	ArchiveFolder string
	Progress      func(done, total int64) // may be nil
	// Check is asked before what was written gets its name; may be nil.
	Check func() error
}

// Report is what was exported.
type Report struct {
	Tables []TableRows
	// Unread are archives of usage rows that could not be read, and why.
	Unread []string
}

// TableRows is how many rows of a table were written.
type TableRows struct {
	Table string
	Rows  int64
}

// Run writes the whole. What it returns an error for is not at Path.
func Run(ctx context.Context, options Options) (report Report, err error) {
	if _, err := os.Lstat(options.Path); !errors.Is(err, os.ErrNotExist) {
		return report, errors.Join(err, fmt.Errorf("%s is there already: give another place, or move it away", options.Path))
	}
	target := options.Path + unfinished
	if err := os.RemoveAll(target); err != nil {
		return report, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(target))
		}
	}()
	out, err := newSink(options.Format, target)
	if err != nil {
		return report, err
	}
	err = view(ctx, options.DB, func(s snapshot) error {
		w := whole{snapshot: s, options: options, out: out}
		err := w.write()
		report = w.report
		return err
	})
	if err = errors.Join(err, out.close()); err != nil {
		return report, err
	}
	if options.Check != nil {
		if err := options.Check(); err != nil {
			return report, err
		}
	}
	return report, publish(target, options.Path)
}

// publish gives what is complete its name, and brings that to the disk.
func publish(target, path string) error {
	if err := os.Rename(target, path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// whole is one run.
type whole struct {
	snapshot
	options     Options
	out         sink
	report      Report
	done, total int64
}

func (w *whole) write() error {
	if err := w.check(); err != nil {
		return err
	}
	if err := w.countRows(); err != nil {
		return err
	}
	if err := w.out.begin(); err != nil {
		return err
	}
	for _, t := range tables {
		if err := w.table(t); err != nil {
			return err
		}
	}
	w.tell()
	return w.out.end()
}

func (w *whole) countRows() error {
	if w.options.Progress == nil {
		return nil
	}
	for _, t := range tables {
		rows, err := w.number("SELECT COUNT(*) FROM " + t.from)
		if err != nil {
			return err
		}
		w.total += rows
	}
	archived, err := w.number(`SELECT coalesce(SUM(rows), 0) FROM usage_archives`)
	w.total += archived
	return err
}

func (w *whole) table(t table) error {
	if err := w.out.beginTable(t); err != nil {
		return err
	}
	before := w.done
	row := func(values []any) error {
		if w.done++; w.done%progressRows == 0 {
			w.tell()
		}
		return w.out.row(t.columns, values)
	}
	if t.name == usageTable { // they are older than those in the database
		if err := w.archives(t, row); err != nil {
			return err
		}
	}
	if err := w.each(t, t.columns, "", t.order, row); err != nil {
		return err
	}
	w.report.Tables = append(w.report.Tables, TableRows{t.name, w.done - before})
	return w.out.endTable()
}

func (w *whole) tell() {
	if w.options.Progress != nil {
		w.options.Progress(w.done, w.total)
	}
}

// sink is where the whole goes.
type sink interface {
	begin() error
	beginTable(table) error
	row([]column, []any) error
	endTable() error
	end() error
	close() error // after it, what was written is on disk
}

func newSink(format Format, path string) (sink, error) {
	if format == JSONL {
		return &folderSink{folder: path}, os.Mkdir(path, folderPermissions)
	}
	file, err := createFile(path)
	if err != nil {
		return nil, err
	}
	return &fileSink{sqlWriter: sqlWriter{w: file.w}, file: file}, nil
}

// outFile is a file that is being written.
type outFile struct {
	file *os.File
	w    *bufio.Writer
}

func createFile(path string) (*outFile, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, filePermissions)
	if err != nil {
		return nil, err
	}
	return &outFile{file: file, w: bufio.NewWriterSize(file, writeBufferBytes)}, nil
}

func (f *outFile) close() error {
	return errors.Join(f.w.Flush(), f.file.Sync(), f.file.Close())
}

// fileSink is one file of SQL.
type fileSink struct {
	sqlWriter
	file *outFile
}

func (s *fileSink) close() error { return s.file.close() }

// folderSink is a folder of JSON lines.
type folderSink struct {
	folder string
	file   *outFile // of the table that is being written
	line   bytes.Buffer
}

func (s *folderSink) begin() error { return nil }

func (s *folderSink) beginTable(t table) (err error) {
	s.file, err = createFile(filepath.Join(s.folder, t.name+".jsonl"))
	return err
}

func (s *folderSink) row(columns []column, values []any) error {
	s.line.Reset()
	if err := appendObject(&s.line, columns, values); err != nil {
		return err
	}
	s.line.WriteByte('\n')
	_, err := s.file.w.Write(s.line.Bytes())
	return err
}

func (s *folderSink) endTable() error {
	file := s.file
	s.file = nil
	return file.close()
}

func (s *folderSink) end() error { return nil }

func (s *folderSink) close() error {
	if s.file == nil {
		return nil
	}
	return s.endTable()
}
