package hooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"sokuji/e2e/dumpgen"
	"sokuji/internal/d1import"
	"sokuji/internal/datalock"
)

// importCommand runs "sokuji import d1 …" as the command line does.
func importCommand(t *testing.T, folder string, arguments ...string) (output string, err error) {
	t.Helper()
	root := &cobra.Command{Use: "sokuji", SilenceErrors: true}
	root.PersistentFlags().String("dir", folder, "")
	root.PersistentFlags().String("encryptionEnv", "", "")
	root.AddCommand(newImportCommand())
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs(append([]string{"import", "d1"}, arguments...))
	err = root.ExecuteContext(t.Context())
	return out.String(), err
}

// dumpFile is a small dump on disk.
func dumpFile(t *testing.T) string {
	t.Helper()
	now := time.Now()
	var out bytes.Buffer
	_, err := dumpgen.Write(&out, dumpgen.Options{Seed: 1, Users: 3, Rows: 20, Now: now, Until: now.Add(time.Hour), WrongBalances: 1, Extra: map[string][]string{
		"user": {`INSERT INTO "user" VALUES('` + "bad\x1bid" + `','x','x@y.z',0,NULL,1,1);`},
		"":     {"CREATE TABLE `cats` (a text);", `INSERT INTO "cats" VALUES('x');`},
	}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "export.sql")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestImportD1(t *testing.T) {
	folder, dump := filepath.Join(t.TempDir(), "pb_data"), dumpFile(t)
	report := filepath.Join(t.TempDir(), "report.json")
	output, err := importCommand(t, folder, dump, "--report", report)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"wallet_ledger    20        20              0        0     1", "user     4         3              0        1     0", "skipped: its id has other characters", "bad?id",
		"note: its stored balance was not the sum", "cats: not a table of the backend, not imported (rows: 1)", "Run `sokuji ledger verify`",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("no %q in\n%s", want, output)
		}
	}
	if strings.Contains(output, "\x1b") {
		t.Error("the output moves the cursor")
	}
	text, err := os.ReadFile(report)
	var written d1import.Report
	if err != nil || json.Unmarshal(text, &written) != nil || written.Table("wallet_ledger").Imported != 20 || written.DryRun {
		t.Errorf("the report is %s (%v)", text, err)
	}
	if info, err := os.Stat(report); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the report has mode %v (%v)", info.Mode(), err)
	}
	if output, err = importCommand(t, folder, dump); err != nil || !strings.Contains(output, "Rows imported: 0.") {
		t.Errorf("a second run: %v\n%s", err, output)
	}
	verified, err := ledgerCommand(t, "verify", "--dir", folder)
	if err != nil || !strings.Contains(verified, "sound: wallets: 3, entries: 21") {
		t.Errorf("%s %v", verified, err)
	}
}

// A dry run says what an import would, and leaves nothing behind: neither in a
// folder that is there nor one where there is none.
func TestADryRunWritesNothing(t *testing.T) {
	folder, dump := filepath.Join(t.TempDir(), "pb_data"), dumpFile(t)
	scratch := t.TempDir()
	t.Setenv("TMPDIR", scratch)
	first, err := importCommand(t, folder, dump, "--dry-run")
	if err != nil || !strings.Contains(first, "Dry run, nothing was written. Rows that would be imported: 57.") {
		t.Fatalf("%v\n%s", err, first)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a dry run made the data folder (%v)", err)
	}
	if _, err := importCommand(t, folder, dump); err != nil {
		t.Fatal(err)
	}
	before := listing(t, folder)
	again, err := importCommand(t, folder, dump, "--dry-run")
	if err != nil || !strings.Contains(again, "would be imported: 0.") {
		t.Errorf("%v\n%s", err, again)
	}
	if after := listing(t, folder); after != before {
		t.Errorf("a dry run changed the data folder from\n%s\nto\n%s", before, after)
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("dry runs left %v (%v)", left, err)
	}
}

func TestAnImportNeedsTheFolderForItself(t *testing.T) {
	folder, dump := t.TempDir(), dumpFile(t)
	lock, err := datalock.Acquire(folder, "serve")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	var held *datalock.HeldError
	if _, err := importCommand(t, folder, dump); !errors.As(err, &held) {
		t.Errorf("got %v", err)
	}
	if _, err := importCommand(t, folder, dump, "--dry-run"); err != nil {
		t.Errorf("a dry run beside a server: %v", err)
	}
}

func TestImportErrors(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "pb_data")
	if _, err := importCommand(t, folder, filepath.Join(t.TempDir(), "gone.sql")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file made the data folder (%v)", err)
	}
	whole, err := os.ReadFile(dumpFile(t))
	if err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(t.TempDir(), "half.sql")
	if err := os.WriteFile(half, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := importCommand(t, folder, half); err == nil || !strings.Contains(err.Error(), "cut off") || strings.Contains(output, "Done") {
		t.Errorf("got %v\n%s", err, output)
	}
}

// The command line starts an import by itself, without PocketBase's server.
func TestImportDoesNotStartPocketBase(t *testing.T) {
	folder, err := executeWith(t, "import", "d1", "{dir}/gone.sql", "--dir", "{dir}")
	if err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it made a data folder (%v)", err)
	}
}

// What an import that was given up has left holds session tokens.
func TestBackupsLeaveStagingFilesOut(t *testing.T) {
	h := newHouse(t)
	event := &core.BackupEvent{App: h.app, Context: t.Context(), Name: "b.zip"}
	if err := h.app.OnBackupCreate().Trigger(event); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(d1import.StagingFiles(), datalock.FileName) {
		if !slices.Contains(event.Exclude, name) {
			t.Errorf("%s is in backups", name)
		}
	}
}
