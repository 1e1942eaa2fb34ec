package d1import

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// dump is the file that is imported.
type dump struct {
	path   string
	bytes  int64
	sha256 string // empty until it was read
}

func openDump(path string) (*dump, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	return &dump{path: path, bytes: info.Size()}, nil
}

// read hands the file to a function and returns its SHA-256.
func (d *dump) read(ctx context.Context, progress func(done, total int64), use func(io.Reader) error) (sum string, err error) {
	file, err := os.Open(d.path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	hash := sha256.New()
	in := &countingReader{in: io.TeeReader(file, hash), ctx: ctx, total: d.bytes, progress: progress}
	if err := use(in); err != nil {
		return "", err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

type countingReader struct {
	in          io.Reader
	ctx         context.Context
	done, total int64
	progress    func(done, total int64)
}

func (c *countingReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.in.Read(p)
	c.done += int64(n)
	if c.progress != nil {
		c.progress(c.done, c.total)
	}
	return n, err
}

// errNoDump says that a file holds none of the backend's tables.
var errNoDump = errors.New("there is no table of the original backend in it: is it what `wrangler d1 export DATABASE --remote --output FILE` wrote?")

// fillStaging reads the dump into a new staging file.
func fillStaging(ctx context.Context, path string, dump *dump, progress func(done, total int64)) (report *Report, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, stagingMode)
	if err != nil {
		return nil, fmt.Errorf("make the staging file: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	// Until it is complete it is worth nothing, so it needs no journal.
	db, err := connectStaging(path, "_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=locking_mode(EXCLUSIVE)&_pragma=cache_size(-32000)")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	f := &filler{ctx: ctx, conn: conn, shapes: make(map[string][]string), inserts: make(map[string]*sql.Stmt), report: &Report{}}
	if dump.sha256, err = dump.read(ctx, progress, f.fill); err != nil {
		return nil, errors.Join(err, f.close())
	}
	f.report.File, f.report.SHA256, f.report.Bytes = dump.path, dump.sha256, dump.bytes
	if err := f.finish(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	if err := f.close(); err != nil {
		return nil, err
	}
	return f.report, file.Sync()
}

// filler is the first pass.
type filler struct {
	ctx     context.Context
	conn    *sql.Conn
	shapes  map[string][]string // columns by table, as the dump's CREATE TABLE has them
	inserts map[string]*sql.Stmt
	report  *Report
	pos     int64

	target placement // of the INSERT that is being read
}

// placement says where the values of an INSERT go.
type placement struct {
	table  *table
	report *TableReport
	source []int // by column of the table: the index of its value, -1 for none
	width  int   // how many values a row must have
}

func (f *filler) fill(in io.Reader) error {
	if err := createStaging(f.ctx, f.conn); err != nil {
		return err
	}
	if _, err := f.conn.ExecContext(f.ctx, `BEGIN`); err != nil {
		return err
	}
	statements := newStatementReader(in)
	for {
		s, err := statements.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := f.statement(s); err != nil {
			return err
		}
	}
	_, err := f.conn.ExecContext(f.ctx, `COMMIT`)
	return err
}

// statement takes one statement. What cannot be read is reported; the error is the
// disk's.
func (f *filler) statement(s statement) error {
	if s.tooLong {
		f.problem(fmt.Sprintf("the statement is longer than %d bytes", MaxStatementBytes), s)
		return nil
	}
	shape, isCreate, err := parseCreate(s.text)
	if isCreate {
		if err != nil {
			f.problem("CREATE TABLE: "+err.Error(), s)
			return nil
		}
		f.shape(shape)
		return nil
	}
	var failure error
	_, err = parseInsert(s.text, f.begin, func(values []any) error {
		failure = f.row(values, s)
		return failure
	})
	if failure != nil {
		return failure
	}
	if err != nil {
		f.problem("INSERT: "+err.Error(), s)
	}
	return nil
}

// problem reports a statement. Its text may hold secrets, so only its place is told.
func (f *filler) problem(text string, s statement) {
	addReason(&f.report.Problems, text, fmt.Sprintf("line %d", s.line), 1)
}

func (f *filler) shape(shape tableShape) {
	name := strings.ToLower(shape.table)
	f.shapes[name] = shape.columns
	t := tableNamed(name)
	if t == nil {
		return
	}
	report := f.report.Table(name)
	for _, column := range shape.columns {
		if !slices.Contains(t.columns, column) && !slices.Contains(report.UnknownColumns, column) {
			report.UnknownColumns = append(report.UnknownColumns, column)
		}
	}
	for _, column := range t.columns {
		if !slices.Contains(shape.columns, column) && !slices.Contains(report.MissingColumns, column) {
			report.MissingColumns = append(report.MissingColumns, column)
		}
	}
}

// begin tells whether the rows of an INSERT are wanted.
func (f *filler) begin(head insertHead) bool {
	name := strings.ToLower(head.table)
	t := tableNamed(name)
	f.target = placement{table: t}
	if t == nil {
		if slices.Contains(ignoredTables, name) {
			return false
		}
		f.target.report = &TableReport{Table: name} // only counted
		return true
	}
	columns := head.columns
	if columns == nil {
		if columns = f.shapes[name]; columns == nil {
			columns = t.columns // as the original has them
		}
	}
	f.target.report = f.report.Table(name)
	f.target.width = len(columns)
	for _, column := range t.columns {
		f.target.source = append(f.target.source, slices.Index(columns, column))
	}
	return true
}

func (f *filler) row(values []any, s statement) error {
	target := &f.target
	if target.table == nil {
		f.countOther(target.report.Table)
		return nil
	}
	target.report.Read++
	if len(values) != target.width {
		target.report.skip(fmt.Sprintf("it has %d values, and the table %d columns", len(values), target.width), fmt.Sprintf("line %d", s.line))
		return nil
	}
	if target.table.isSkipped != "" {
		target.report.skip(target.table.isSkipped, f.idOf(values))
		return nil
	}
	return f.insert(target, values)
}

func (f *filler) idOf(values []any) string {
	if index := f.target.source[0]; index >= 0 {
		return textOf(values[index])
	}
	return ""
}

func (f *filler) countOther(name string) {
	for i := range f.report.Other {
		if f.report.Other[i].Table == name {
			f.report.Other[i].Rows++
			return
		}
	}
	if len(f.report.Other) < maxOtherTables {
		f.report.Other = append(f.report.Other, OtherTable{Table: name, Rows: 1})
		return
	}
	f.report.Other[maxOtherTables-1].Rows++
}

func (f *filler) insert(target *placement, values []any) error {
	statement, err := f.insertInto(target.table)
	if err != nil {
		return err
	}
	f.pos++
	arguments := make([]any, 0, len(target.source)+2)
	arguments = append(arguments, f.pos)
	var created any
	for i, index := range target.source {
		var value any
		if index >= 0 {
			value = values[index]
		}
		if blob, ok := value.([]byte); ok {
			value = string(blob) // no column of the original holds bytes
		}
		if name := target.table.columns[i]; name == "created_at" || name == "createdat" {
			created = value
		}
		arguments = append(arguments, value)
	}
	arguments = append(arguments, milliseconds(created))
	if _, err := statement.ExecContext(f.ctx, arguments...); err != nil {
		return fmt.Errorf("write the staging file: %w", err)
	}
	return nil
}

// milliseconds is what rows are ordered by. One without a time comes last.
func milliseconds(created any) int64 {
	at, ok := parseInstant(created)
	if !ok {
		return 1<<63 - 1
	}
	return at.UnixMilli()
}

func (f *filler) insertInto(t *table) (*sql.Stmt, error) {
	if statement := f.inserts[t.name]; statement != nil {
		return statement, nil
	}
	marks := strings.Repeat(", ?", len(t.columns)+1)
	statement, err := f.conn.PrepareContext(f.ctx, `INSERT INTO `+t.staged()+` VALUES (?`+marks+`)`)
	if err != nil {
		return nil, fmt.Errorf("write the staging file: %w", err)
	}
	f.inserts[t.name] = statement
	return statement, nil
}

// finish makes the indexes and notes of which dump the file is.
func (f *filler) finish() error {
	if len(f.report.Tables) == 0 {
		return fmt.Errorf("%s: %w", f.report.File, errNoDump)
	}
	for i := range tables {
		name := tables[i].name
		report := f.report.Table(name)
		report.Missing = f.shapes[name] == nil && report.Read == 0
	}
	slices.SortStableFunc(f.report.Tables, func(a, b *TableReport) int { return orderOf(a.Table) - orderOf(b.Table) })
	for _, statement := range stagingIndexes {
		if _, err := f.conn.ExecContext(f.ctx, statement); err != nil {
			return fmt.Errorf("index the staging file: %w", err)
		}
	}
	encoded, err := json.Marshal(f.report)
	if err != nil {
		return err
	}
	_, err = f.conn.ExecContext(f.ctx, `INSERT INTO meta VALUES (?, ?, ?)`, f.report.Bytes, f.report.SHA256, string(encoded))
	return err
}

func orderOf(name string) int {
	return slices.IndexFunc(tables, func(t table) bool { return t.name == name })
}

func (f *filler) close() error {
	var errs []error
	for _, statement := range f.inserts {
		errs = append(errs, statement.Close())
	}
	f.inserts = nil
	return errors.Join(append(errs, f.conn.Close())...)
}

// errOtherDump says that a staging file is of another dump.
var errOtherDump = errors.New("the staging file is of another dump")

// readMeta returns what the first pass reported, if the file is of this dump.
func readMeta(ctx context.Context, db *sql.DB, dump *dump) (*Report, error) {
	var bytes int64
	var sum, text string
	if err := db.QueryRowContext(ctx, `SELECT bytes, sha256, report FROM meta`).Scan(&bytes, &sum, &text); err != nil {
		return nil, err
	}
	if bytes != dump.bytes {
		return nil, errOtherDump
	}
	read, err := dump.read(ctx, nil, func(io.Reader) error { return nil })
	if err != nil {
		return nil, err
	}
	if read != sum {
		return nil, errOtherDump
	}
	dump.sha256 = sum
	report := &Report{}
	if err := json.Unmarshal([]byte(text), report); err != nil {
		return nil, err
	}
	report.File = dump.path
	return report, nil
}
