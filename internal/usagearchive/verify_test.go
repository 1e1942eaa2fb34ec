package usagearchive_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sokuji/internal/usagearchive"
)

// toTheManifest archives up to the point where nothing is removed yet.
func toTheManifest(t *testing.T) (f *fixture, path string) {
	f = open(t)
	f.fill("a", 5, oldTime)
	for n := 1; f.runUntil(n) != "manifest"; n++ {
	}
	if len(f.archives()) != 1 || len(f.stored()) != 5 {
		t.Fatalf("archives %v, stored %v", f.archives(), f.stored())
	}
	return f, filepath.Join(f.folder, f.archives()[0])
}

// wantRefused runs and expects that nothing was removed, and a sentence that says
// what to do.
func (f *fixture) wantRefused(what, reason string) {
	f.t.Helper()
	_, err := f.archiver().Run(context.Background(), cutoff)
	if err == nil {
		f.t.Fatalf("%s: the rows were removed", what)
	}
	for _, part := range []string{"usage-a00001.jsonl.gz", "no usage rows were removed", "bring it back from a backup", reason} {
		if !strings.Contains(err.Error(), part) {
			f.t.Errorf("%s: no %q in %q", what, part, err)
		}
	}
	if got := f.stored(); !slices.Equal(got, names("a", 1, 5)) || len(f.archives()) != 1 {
		f.t.Errorf("%s: stored %v, archives %v", what, got, f.archives())
	}
}

func TestNothingIsRemovedWithoutItsFile(t *testing.T) {
	f, path := toTheManifest(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	var sameRows []string
	for n, id := range names("a", 1, 5) {
		sameRows = append(sameRows, fmt.Sprintf(`{"id":%q,"charged_tokens":%d}`, id, n+1))
	}
	for what, content := range map[string][]byte{
		"all but ids and tokens": zipped(t, strings.Join(sameRows, "\n")),
		"empty":                  {}, "cut off": whole[:len(whole)-9], "one bit": flipped, "longer": append(bytes.Clone(whole), 'x'),
		"doubled": append(bytes.Clone(whole), whole...), "another file": zipped(t, `{"id":"a00001"}`),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		f.wantRefused(what, "")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	f.wantRefused("missing", "no such file")
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	f.run()
	if got := f.archived(); !slices.Equal(got, names("a", 1, 5)) || len(f.stored()) != 0 {
		t.Errorf("archived %v, stored %v", got, f.stored())
	}
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	if _, err := writer.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return compressed.Bytes()
}

// A file with the right sum is still compared with the rest of its manifest.
func TestAManifestHasToFitItsFile(t *testing.T) {
	rows := []string{
		`{"id":"a00001","charged_tokens":1}`, `{"id":"a00002","charged_tokens":2}`, `{"id":"a00003","charged_tokens":3}`,
		`{"id":"a00004","charged_tokens":4}`, `{"id":"a00005","charged_tokens":5}`,
	}
	for what, test := range map[string]struct {
		rows   []string
		reason string
	}{
		"a row too few":    {rows[:4], "it has 4 rows, not 5"},
		"a row too many":   {append(slices.Clone(rows), rows[0]), "more than 5 rows"},
		"other tokens":     {append(slices.Clone(rows[:4]), `{"id":"a00005","charged_tokens":6}`), "charged 16 tokens, not 15"},
		"another last row": {append(slices.Clone(rows[:4]), `{"id":"b00005","charged_tokens":5}`), "to b00005"},
		"no rows":          {nil, "it has 0 rows"},
		"no JSON":          {[]string{"{"}, "line 1"},
	} {
		f, path := toTheManifest(t)
		content := zipped(t, strings.Join(test.rows, "\n"))
		sum := sha256.Sum256(content)
		f.exec(`DROP TRIGGER usage_archives_keep_terms`)
		f.exec(`UPDATE usage_archives SET sha256 = ?`, hex.EncodeToString(sum[:]))
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		f.wantRefused(what, test.reason)
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		id   string
		n    int
		want string
	}{
		{"0abc", 1, "usage-0abc.jsonl.gz"},
		{"0abc", 2, "usage-0abc-2.jsonl.gz"},
		{"A_b-9", 1, "usage-A_b-9.jsonl.gz"},
	} {
		if got := usagearchive.FileName(test.id, test.n); got != test.want {
			t.Errorf("%q, %d: got %s, want %s", test.id, test.n, got, test.want)
		}
	}
	seen := map[string]string{}
	for _, id := range []string{"", "../../etc/passwd", "a/b", "a b", "ä", ".", strings.Repeat("x", 65), "a\x00"} {
		got := usagearchive.FileName(id, 1)
		if filepath.Base(got) != got || len(got) != len("usage-.jsonl.gz")+32 || seen[got] != "" {
			t.Errorf("%q becomes %q", id, got)
		}
		seen[got] = id
	}
}

// A row that somebody imports again is archived again, beside the first file.
func TestAFileWithAManifestIsNeverReplaced(t *testing.T) {
	f := open(t)
	f.fill("a", 2, oldTime)
	f.run()
	first, err := os.ReadFile(filepath.Join(f.folder, "usage-a00001.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	f.fill("a", 3, oldTime)
	f.run()
	f.fill("A", 1, oldTime) // the same file on some systems
	f.run()
	if got, want := f.archives(), []string{"usage-a00001.jsonl.gz", "usage-a00001-2.jsonl.gz", "usage-A00001-3.jsonl.gz"}; !slices.Equal(got, want) {
		t.Errorf("archives %v, want %v", got, want)
	}
	if now, err := os.ReadFile(filepath.Join(f.folder, "usage-a00001.jsonl.gz")); err != nil || !bytes.Equal(now, first) {
		t.Errorf("the first file changed (%v)", err)
	}
}
