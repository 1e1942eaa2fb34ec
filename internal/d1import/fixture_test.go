package d1import_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"sokuji/e2e/dumpgen"
	"sokuji/hooks"
	"sokuji/internal/d1import"
	"sokuji/internal/ledger/sqlitestore"
	"sokuji/internal/ledger/verify"
	_ "sokuji/migrations"
)

// now is the time of every import.
var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// template is a data folder with the schema, copied for each test.
var template string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	empty, err := os.MkdirTemp("", "sokuji_empty_*")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(empty)
	app, err := newApp(empty)
	if err != nil {
		return 1, err
	}
	defer app.Cleanup()
	template = app.DataDir()
	if _, err := app.NonconcurrentDB().NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func newApp(dir string) (*tests.TestApp, error) {
	return tests.NewTestAppWithConfig(core.BaseAppConfig{DataDir: dir, DBConnect: hooks.ConnectDatabase})
}

// house is a data folder to import into.
type house struct {
	t      *testing.T
	app    *tests.TestApp
	writer *sql.DB
	store  *sqlitestore.Store
	folder string // of the staging file
}

func newHouse(t *testing.T) *house {
	t.Helper()
	app, err := newApp(template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	h := &house{t: t, app: app, writer: app.NonconcurrentDB().(*dbx.DB).DB(), folder: t.TempDir()}
	if h.store, err = sqlitestore.Open(h.writer, app.ConcurrentDB().(*dbx.DB).DB()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.store.Close() })
	return h
}

func (h *house) options() d1import.Options {
	return d1import.Options{
		Writer: h.writer, Store: h.store, Folder: h.folder, Now: func() time.Time { return now },
		KnowsProvider: func(name string) bool { return name == "google" || name == "github" },
	}
}

// importFile imports a file, which must not fail, and checks what holds of every
// report.
func (h *house) importFile(path string) *d1import.Report {
	h.t.Helper()
	report, err := d1import.Run(context.Background(), path, h.options())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, t := range report.Tables {
		if t.Read != t.Imported+t.AlreadyThere+t.Skipped {
			h.t.Errorf("%s: %d rows read, but %d imported, %d already there and %d skipped", t.Table, t.Read, t.Imported, t.AlreadyThere, t.Skipped)
		}
		skipped := int64(0)
		for _, reason := range t.Why {
			skipped += reason.Count
			if len(reason.Examples) == 0 || len(reason.Examples) > 20 {
				h.t.Errorf("%s: %q has %d examples", t.Table, reason.Text, len(reason.Examples))
			}
		}
		if skipped != t.Skipped {
			h.t.Errorf("%s: %d rows skipped, but reasons for %d", t.Table, t.Skipped, skipped)
		}
	}
	h.verify()
	return report
}

func (h *house) importText(text string) *d1import.Report {
	h.t.Helper()
	return h.importFile(writeFile(h.t, text))
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dump.sql")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (h *house) verify() {
	h.t.Helper()
	report, err := verify.File(context.Background(), h.writer, verify.Options{})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, finding := range report.Findings {
		h.t.Errorf("the books do not balance: %s", finding)
	}
}

// value asks data.db for one value, as text; empty for none.
func (h *house) value(query string, arguments ...any) string {
	h.t.Helper()
	var value any
	err := h.writer.QueryRow(query, arguments...).Scan(&value)
	if err == sql.ErrNoRows || value == nil {
		return ""
	}
	if err != nil {
		h.t.Fatalf("%s: %v", query, err)
	}
	return fmt.Sprint(value)
}

func (h *house) want(want, query string, arguments ...any) {
	h.t.Helper()
	if got := h.value(query, arguments...); got != want {
		h.t.Errorf("%s %v: got %q, want %q", query, arguments, got, want)
	}
}

func generate(t *testing.T, options dumpgen.Options) (string, dumpgen.Facts) {
	t.Helper()
	if options.Now.IsZero() {
		options.Now, options.Until = now, now.Add(5*24*time.Hour)
	}
	var out bytes.Buffer
	facts, err := dumpgen.Write(&out, options)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), facts
}
