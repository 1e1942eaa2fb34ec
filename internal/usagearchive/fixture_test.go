package usagearchive_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"sokuji/hooks"
	"sokuji/internal/ledger/sqlitestore"
	"sokuji/internal/usagearchive"
	_ "sokuji/migrations"
)

// template is a data folder with the schema, copied for each test.
var template string

func TestMain(m *testing.M) {
	app, err := newApp("")
	if err == nil {
		template = app.DataDir()
		_, err = app.NonconcurrentDB().NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	app.Cleanup()
	os.Exit(code)
}

func newApp(dir string) (*tests.TestApp, error) {
	return tests.NewTestAppWithConfig(core.BaseAppConfig{DataDir: dir, DBConnect: hooks.ConnectDatabase})
}

// cutoff is what the tests archive before; rows of the days before it are old.
var cutoff = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

const (
	oldTime = "2026-10-31 23:59:59.999Z"
	newTime = "2026-11-01 00:00:00.000Z"
)

type fixture struct {
	t      *testing.T
	store  *sqlitestore.Store
	writer *sql.DB
	folder string
}

func open(t *testing.T) *fixture {
	t.Helper()
	app, err := newApp(template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	f := &fixture{t: t, writer: app.NonconcurrentDB().(*dbx.DB).DB(), folder: filepath.Join(app.DataDir(), "archive")}
	if f.store, err = sqlitestore.Open(f.writer, app.ConcurrentDB().(*dbx.DB).DB()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *fixture) exec(statement string, arguments ...any) {
	f.t.Helper()
	if _, err := f.writer.Exec(statement, arguments...); err != nil {
		f.t.Fatal(err)
	}
}

// fill stores rows of one time, named by a prefix and a number; row n charged n
// tokens.
func (f *fixture) fill(prefix string, rows int, createdAt string) {
	f.t.Helper()
	f.exec(`WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
		INSERT INTO usage_logs (id, subject_type, subject_id, model, charged_tokens, input_ratio, ledger_id, rates, metadata, created_at)
		SELECT printf('%s%05d', ?2, n), 'user', 'alice0000000001', 'm"<1>', n, 1.5, ?2 || n, '{"in":1}', NULL, ?3 FROM n`,
		rows, prefix, createdAt)
}

// archiver takes all steps with few rows: files of five, pages of three, removals
// of two.
func (f *fixture) archiver() *usagearchive.Archiver {
	a := usagearchive.New(f.store, f.folder, time.Now)
	a.Small(5, 3, 2)
	return a
}

func (f *fixture) run() usagearchive.Report {
	f.t.Helper()
	report, err := f.archiver().Run(context.Background(), cutoff)
	if err != nil {
		f.t.Fatal(err)
	}
	return report
}

// column reads one column of text.
func (f *fixture) column(query string) []string {
	f.t.Helper()
	rows, err := f.writer.Query(query)
	if err != nil {
		f.t.Fatal(err)
	}
	defer rows.Close()
	found := []string{}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			f.t.Fatal(err)
		}
		found = append(found, text)
	}
	if err := rows.Err(); err != nil {
		f.t.Fatal(err)
	}
	return found
}

func (f *fixture) stored() []string {
	f.t.Helper()
	return f.column(`SELECT id FROM usage_logs ORDER BY id`)
}

// archives are the names of the files that have a manifest.
func (f *fixture) archives() []string {
	f.t.Helper()
	return f.column(`SELECT file FROM usage_archives ORDER BY id`)
}

// files are the names of all archive files in the folder.
func (f *fixture) files() []string {
	f.t.Helper()
	paths, err := filepath.Glob(filepath.Join(f.folder, "*.gz"))
	if err != nil {
		f.t.Fatal(err)
	}
	names := []string{}
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	return names
}

// read returns the rows of a file.
func (f *fixture) read(name string) []map[string]any {
	f.t.Helper()
	compressed, err := os.ReadFile(filepath.Join(f.folder, name))
	if err != nil {
		f.t.Fatal(err)
	}
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		f.t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		f.t.Fatal(err)
	}
	var rows []map[string]any
	for line := range strings.Lines(string(text)) {
		row := map[string]any{}
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.UseNumber()
		if err := decoder.Decode(&row); err != nil || !strings.HasSuffix(line, "}\n") {
			f.t.Fatalf("%s: line %q: %v", name, line, err)
		}
		rows = append(rows, row)
	}
	return rows
}

// archived are the ids in all files of the folder, in their order.
func (f *fixture) archived() []string {
	f.t.Helper()
	ids := []string{}
	for _, name := range f.files() {
		for _, row := range f.read(name) {
			ids = append(ids, row["id"].(string))
		}
	}
	return ids
}

// names are what fill called its rows.
func names(prefix string, from, to int) []string {
	list := []string{}
	for n := from; n <= to; n++ {
		list = append(list, fmt.Sprintf("%s%05d", prefix, n))
	}
	return list
}
