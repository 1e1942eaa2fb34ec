package usagearchive_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"sokuji/internal/usagearchive"
)

func TestCutoff(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		now  string
		days int
		want string
	}{
		{"2026-11-24T08:00:00Z", 35, "2026-10-20"},
		{"2026-11-24T00:00:00Z", 1, "2026-11-23"},
		{"2026-11-24T23:59:59Z", 1, "2026-11-23"},
		{"2026-11-24T00:30:00+01:00", 1, "2026-11-22"}, // still the 23rd in UTC
		{"2028-03-01T12:00:00Z", 366, "2027-03-01"},
	} {
		now, err := time.Parse(time.RFC3339, test.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := usagearchive.Cutoff(now, test.days); got.Format("2006-01-02 15:04:05 MST") != test.want+" 00:00:00 UTC" {
			t.Errorf("%d days before %s is %s", test.days, test.now, got)
		}
	}
}

func TestOldRowsMoveToFiles(t *testing.T) {
	f := open(t)
	f.fill("a", 12, oldTime)
	f.fill("b", 4, newTime)
	if got, want := f.run(), (usagearchive.Report{Archives: 3, Rows: 12}); got != want {
		t.Errorf("the report is %v, want %v", got, want)
	}
	if got, want := f.files(), []string{"usage-a00001.jsonl.gz", "usage-a00006.jsonl.gz", "usage-a00011.jsonl.gz"}; !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	if got := f.archived(); !slices.Equal(got, names("a", 1, 12)) {
		t.Errorf("archived %v", got)
	}
	if got := f.stored(); !slices.Equal(got, names("b", 1, 4)) {
		t.Errorf("still stored %v", got)
	}
	if got := f.run(); got != (usagearchive.Report{}) || len(f.files()) != 3 {
		t.Errorf("a second run did %v", got)
	}
}

func TestManifestsTellWhatIsInTheFiles(t *testing.T) {
	f := open(t)
	f.fill("a", 7, oldTime)
	f.run()
	got := f.column(`SELECT first_id || ' ' || last_id || ' ' || rows || ' ' || tokens || ' ' || cutoff || ' ' || removed FROM usage_archives ORDER BY id`)
	want := []string{"a00001 a00005 5 15 2026-11-01 00:00:00.000Z 1", "a00006 a00007 2 13 2026-11-01 00:00:00.000Z 1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	sums := f.column(`SELECT sha256 FROM usage_archives ORDER BY id`)
	for i, name := range f.archives() {
		content, err := os.ReadFile(filepath.Join(f.folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(content); sums[i] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s has the sum %x, its manifest %s", name, sum, sums[i])
		}
	}
}

// A file has every column under its own name, as the values that they are.
func TestFilesHoldEveryColumn(t *testing.T) {
	f := open(t)
	f.exec(`ALTER TABLE usage_logs ADD COLUMN later TEXT DEFAULT 'x'`) // of a migration to come
	f.fill("a", 1, oldTime)
	f.exec(`INSERT INTO usage_logs (id, subject_id, charged_tokens, output_ratio, metadata, rates, created_at)
		VALUES ('odd', 'bob', 9007199254740993, 0.1, '{"n": 12345678901234567890, "t": "ä <"}', 'not JSON', ?)`, oldTime)
	columns := f.column(`SELECT name FROM pragma_table_info('usage_logs') ORDER BY name`)
	f.run()
	rows := f.read("usage-a00001.jsonl.gz")
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	var found []string
	for name := range rows[0] {
		found = append(found, name)
	}
	slices.Sort(found)
	if !slices.Equal(found, columns) {
		t.Errorf("the columns are %v, want %v", found, columns)
	}
	for name, want := range map[string]string{
		"id": "a00001", "subject_type": "user", "subject_id": "alice0000000001", "model": `m"<1>`, "charged_tokens": "1", "input_ratio": "1.5",
		"rates": "map[in:1]", "metadata": "<nil>", "created_at": oldTime, "later": "x", "provider": "", "output_tokens": "0",
	} {
		if got := fmt.Sprint(rows[0][name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	for name, want := range map[string]string{
		"charged_tokens": "9007199254740993", "output_ratio": "0.1", "metadata": "map[n:12345678901234567890 t:ä <]", "rates": "not JSON",
	} {
		if got := fmt.Sprint(rows[1][name]); got != want {
			t.Errorf("the odd row's %s is %s, want %s", name, got, want)
		}
	}
}

// Rows that were imported late lie behind newer ones. They are found all the same.
func TestNewRowsBetweenOldOnesStay(t *testing.T) {
	f := open(t)
	f.fill("o-none", 1, "") // nobody knows how old it is
	for i := range 8 {
		f.fill(fmt.Sprintf("p%d-old", i), 1, oldTime)
		f.fill(fmt.Sprintf("p%d-new", i), 1, newTime)
	}
	f.fill("q-new", 3, newTime) // a page of its own
	f.fill("q-old", 1, oldTime)
	var old, kept []string
	for i := range 8 {
		old = append(old, fmt.Sprintf("p%d-old00001", i))
		kept = append(kept, fmt.Sprintf("p%d-new00001", i))
	}
	kept = append(kept, "q-new00001", "q-new00002", "q-new00003")
	f.run()
	old = append(old, "q-old00001")
	all := append(f.archived(), f.stored()...)
	slices.Sort(all)
	want := slices.Sorted(slices.Values(slices.Concat(old, kept, []string{"o-none00001"})))
	if !slices.Equal(all, want) {
		t.Errorf("archived and stored are %v, want %v", all, want)
	}
	if got := f.archived(); !reflect.DeepEqual(got, old) {
		t.Errorf("archived %v, want %v", got, old)
	}
}

// A run that has looked at as much as it may leaves the rest to the next one.
func TestTheNextRunGoesOn(t *testing.T) {
	f := open(t)
	f.fill("a-new", 20, newTime)
	f.fill("b-old", 7, oldTime)
	f.fill("c-new", 20, newTime)
	archiver := f.archiver()
	archiver.LookAt(9)
	var rows int64
	runs := 0
	for ; rows < 7 && runs < 20; runs++ {
		report, err := archiver.Run(context.Background(), cutoff)
		if err != nil {
			t.Fatal(err)
		}
		rows += report.Rows
	}
	if rows != 7 || runs < 3 || !slices.Equal(f.archived(), names("b-old", 1, 7)) {
		t.Errorf("%d rows after %d runs: %v", rows, runs, f.archived())
	}
	// Behind the end it begins again.
	f.exec(`INSERT INTO usage_logs (rowid, id, subject_type, subject_id, created_at) VALUES (21, 'd-old', 'user', 'alice0000000001', ?)`, oldTime)
	for range 20 {
		if _, err := archiver.Run(context.Background(), cutoff); err != nil {
			t.Fatal(err)
		}
	}
	if stored := f.stored(); len(stored) != 40 {
		t.Errorf("%d rows are stored, want the 40 new ones: %v", len(stored), stored)
	}
}

func TestNothingOldMakesNoFile(t *testing.T) {
	f := open(t)
	f.run()
	f.fill("b", 4, newTime)
	if got := f.run(); got != (usagearchive.Report{}) || len(f.files()) != 0 || len(f.stored()) != 4 {
		t.Errorf("a run did %v and made %v", got, f.files())
	}
}

// The bounds that a server runs with.
func TestTheRealBounds(t *testing.T) {
	f := open(t)
	const rows = usagearchive.MaxArchiveRows + 1_234
	f.fill("a", rows, oldTime)
	archiver := usagearchive.New(f.store, f.folder, time.Now)
	archiver.Small(usagearchive.MaxArchiveRows, 500, 5_000) // fewer fsyncs than 500 at a time
	report, err := archiver.Run(context.Background(), cutoff)
	if err != nil || report != (usagearchive.Report{Archives: 2, Rows: rows}) {
		t.Fatalf("%v, %v", report, err)
	}
	if got := f.archived(); len(got) != rows || len(f.stored()) != 0 {
		t.Errorf("%d archived, %d stored", len(got), len(f.stored()))
	}
}

// Usage says who did what when: nobody else on the machine reads it.
func TestFilesAreForTheServerOnly(t *testing.T) {
	f := open(t)
	f.fill("a", 1, oldTime)
	f.run()
	for path, want := range map[string]os.FileMode{f.folder: 0o700, filepath.Join(f.folder, "usage-a00001.jsonl.gz"): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v; want %v", path, info.Mode().Perm(), err, want)
		}
	}
}
