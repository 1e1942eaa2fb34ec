package verify_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sokuji/internal/ledger/verify"
)

// folder puts a copy of the template into a folder of its own, as a server does.
func folder(t testing.TB) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	path = filepath.Join(dir, "data.db")
	copyTo(t, path, template)
	return dir, path
}

func copyTo(t testing.TB, target, source string) {
	t.Helper()
	content, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(target, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// look writes down what is in a folder: names, contents, and when it was written.
func look(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, fmt.Sprintf("%s %x %s", entry.Name(), sha256.Sum256(content), info.ModTime()))
	}
	return seen
}

// wantSound reads everything through a database.
func wantSound(t testing.TB, database *verify.Database, entries int64) {
	t.Helper()
	report, err := verify.File(context.Background(), database.DB, verify.Options{})
	if err != nil || !report.Sound() || (entries > 0 && report.Entries != entries) {
		t.Errorf("%d entries, %v\n%s", report.Entries, err, show(report))
	}
	if err := database.Unchanged(); err != nil {
		t.Error(err)
	}
	if err := database.Close(); err != nil {
		t.Error(err)
	}
}

// serve opens the books as a server does, WAL and all, and writes to them.
func serve(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=wal_autocheckpoint(0)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Exec(`UPDATE wallets SET updated_at = '2026-12-31 00:00:00.000Z'`); err != nil {
		t.Fatal(err)
	}
	return db
}

// A file at rest is read without a trace, also where nothing can be written.
func TestABareCopyIsLeftAsItWas(t *testing.T) {
	for name, mode := range map[string]os.FileMode{"a folder": 0o700, "a folder to read only": 0o500} {
		dir, path := folder(t)
		before := look(t, dir)
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		database, err := verify.OpenReadOnly(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantSound(t, database, 0)
		if err := os.Chmod(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if after := look(t, dir); !slices.Equal(before, after) {
			t.Errorf("%s: %v became %v", name, before, after)
		}
	}
}

// A template that was in WAL mode is what a stopped server leaves behind.
func TestAStoppedServersFileIsLeftAsItWas(t *testing.T) {
	dir, path := folder(t)
	if err := serve(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	before := look(t, dir)
	if len(before) != 1 {
		t.Fatalf("a closed database leaves %v", before)
	}
	database, err := verify.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	wantSound(t, database, 0)
	if after := look(t, dir); !slices.Equal(before, after) {
		t.Errorf("%v became %v", before, after)
	}
}

func TestALiveServerIsNotDisturbed(t *testing.T) {
	_, path := folder(t)
	server := serve(t, path)
	database, err := verify.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	writes := 0
	report, err := verify.File(context.Background(), database.DB, verify.Options{Progress: func(int64, int64) {
		// In the middle of a run the server writes and checkpoints, and does not wait.
		for _, statement := range []string{`UPDATE wallets SET balance_tokens = balance_tokens + 1`, `PRAGMA wal_checkpoint(PASSIVE)`} {
			if _, err := server.Exec(statement); err != nil {
				t.Error(err)
			}
		}
		writes++
	}})
	if err != nil || !report.Sound() || writes == 0 {
		t.Errorf("after %d writes: %v\n%s", writes, err, show(report))
	}
	// The next run sees what was written, and that it was wrong.
	if report, err = verify.File(context.Background(), database.DB, verify.Options{}); err != nil || report.Sound() {
		t.Errorf("a change in the WAL is not seen: %v", err)
	}
	if err := database.Close(); err != nil {
		t.Error(err)
	}
	if _, err := server.Exec(`UPDATE wallets SET balance_tokens = balance_tokens - 1`); err != nil {
		t.Error(err)
	}
}

// What a crash leaves is read with all that is in its WAL, and left as it was.
func TestACrashedServersFilesAreLeftAsTheyWere(t *testing.T) {
	_, path := folder(t)
	server := serve(t, path)
	if _, err := server.Exec(`UPDATE wallets SET balance_tokens = balance_tokens + 1 WHERE id = ?`, idle.ID); err != nil {
		t.Fatal(err)
	}
	for name, suffixes := range map[string][]string{"with the index of the WAL": {"", "-wal", "-shm"}, "without it": {"", "-wal"}} {
		dir := t.TempDir()
		for _, suffix := range suffixes {
			copyTo(t, filepath.Join(dir, "data.db"+suffix), path+suffix)
		}
		before := look(t, dir)
		temporary := temporaryFolders(t)
		database, err := verify.OpenReadOnly(filepath.Join(dir, "data.db"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		report, err := verify.File(context.Background(), database.DB, verify.Options{})
		if err != nil || !names(report, "wallets", idle.ID) {
			t.Errorf("%s: what is in the WAL is not read: %v", name, err)
		}
		if err := database.Close(); err != nil {
			t.Error(err)
		}
		if after := look(t, dir); !slices.Equal(before, after) {
			t.Errorf("%s: %v became %v", name, before, after)
		}
		if left := temporaryFolders(t); left != temporary {
			t.Errorf("%s: %d temporary folders became %d", name, temporary, left)
		}
	}
}

// temporaryFolders counts what is left of copies of ours.
func temporaryFolders(t testing.TB) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(os.TempDir(), "sokuji_verify_*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// A file that is read as one at rest, and is written to all the same, proves nothing.
func TestAServerThatStartsInBetweenIsNoticed(t *testing.T) {
	for name, write := range map[string]func(*sql.DB) error{
		"and is at work":          func(*sql.DB) error { return nil },
		"and has stopped already": func(db *sql.DB) error { return db.Close() },
	} {
		_, path := folder(t)
		database, err := verify.OpenReadOnly(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := database.Unchanged(); err != nil {
			t.Fatalf("%s: before anything was written: %v", name, err)
		}
		if err := write(serve(t, path)); err != nil {
			t.Fatal(err)
		}
		if err := database.Unchanged(); err == nil {
			t.Errorf("a server that starts %s is not noticed", name)
		}
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestNothingCanBeWritten(t *testing.T) {
	_, path := folder(t)
	serve(t, path)
	_, alone := folder(t)
	for _, path := range []string{path, alone} {
		database, err := verify.OpenReadOnly(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := database.Exec(`UPDATE wallets SET balance_tokens = 1`); err == nil {
			t.Errorf("%s can be written to", path)
		}
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	}
}

// zipped makes a backup as PocketBase does.
func zipped(t testing.TB, files map[string]string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, source := range files {
		content, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		file, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "backup.zip")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBackups(t *testing.T) {
	_, bare := folder(t)
	_, stopped := folder(t)
	if err := serve(t, stopped).Close(); err != nil { // in WAL mode, as a server's is
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "auxiliary.db")
	copyTo(t, other, bare)
	before := temporaryFolders(t)
	for name, path := range map[string]string{
		"a bare file":             bare,
		"a zip":                   zipped(t, map[string]string{"data.db": bare, "auxiliary.db": other, "storage/data.db": other}),
		"a zip of a server's":     zipped(t, map[string]string{"data.db": stopped}),
		"a zip with an empty WAL": zipped(t, map[string]string{"data.db": stopped, "data.db-wal": os.DevNull}),
	} {
		database, err := verify.OpenBackup(context.Background(), path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantSound(t, database, 0)
	}
	if left := temporaryFolders(t); left != before {
		t.Errorf("%d temporary folders became %d", before, left)
	}
}

func TestABackupHasWhatIsInItsWAL(t *testing.T) {
	_, path := folder(t)
	server := serve(t, path)
	if _, err := server.Exec(`UPDATE wallets SET balance_tokens = balance_tokens + 1 WHERE id = ?`, idle.ID); err != nil {
		t.Fatal(err)
	}
	database, err := verify.OpenBackup(context.Background(), zipped(t, map[string]string{"data.db": path, "data.db-wal": path + "-wal"}))
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	report, err := verify.File(context.Background(), database.DB, verify.Options{})
	if err != nil || !names(report, "wallets", idle.ID) {
		t.Errorf("what is in the WAL is not read: %v", err)
	}
}

func TestWhatCannotBeOpenedIsExplained(t *testing.T) {
	dir, path := folder(t)
	write := func(name, content string) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	journal := filepath.Join(t.TempDir(), "data.db")
	copyTo(t, journal, path)
	copyTo(t, journal+"-journal", path)
	whole := zipped(t, map[string]string{"data.db": path})
	content, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(content)
	damaged[len(damaged)/3] ^= 0xff
	before := temporaryFolders(t)
	for name, test := range map[string]struct{ path, want string }{
		"nothing":                {filepath.Join(dir, "other.db"), "no such file"},
		"a folder":               {dir, "not a file"},
		"an empty file":          {write("data.db", ""), "not a SQLite database"},
		"some text":              {write("data.db", "SQLite format 2, hello"), "not a SQLite database"},
		"a short file":           {write("data.db", "SQLi"), "not a SQLite database"},
		"only a header":          {write("data.db", "SQLite format 3\x00"), "data.db"},
		"a rollback journal":     {journal, "journal"},
		"a zip without the file": {zipped(t, map[string]string{"storage/data.db": path}), "no data.db"},
		"a zip of something":     {zipped(t, map[string]string{"data.db": write("x", "hello")}), "not a SQLite database"},
		"a cut zip":              {write("b.zip", string(content[:len(content)/2])), "zip"},
		"a damaged zip":          {write("b.zip", string(damaged)), "data.db"},
	} {
		database, err := verify.OpenBackup(context.Background(), test.path)
		if err == nil {
			_, err = verify.File(context.Background(), database.DB, verify.Options{})
			_ = database.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q in it", name, err, test.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := verify.OpenBackup(ctx, whole); err == nil {
		t.Error("an interrupted unpacking goes on")
	}
	if left := temporaryFolders(t); left != before {
		t.Errorf("%d temporary folders became %d", before, left)
	}
}
