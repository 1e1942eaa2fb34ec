package usagearchive_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sokuji/internal/usagearchive"
)

var errCrash = errors.New("the process was killed")

// runUntil stops a run after its nth step, and tells which that was, or "" when
// the run was over before.
func (f *fixture) runUntil(n int) (stopped string) {
	f.t.Helper()
	archiver := f.archiver()
	archiver.StopAt(func(step string) error {
		if n--; n > 0 {
			return nil
		}
		stopped = step
		return errCrash
	})
	if _, err := archiver.Run(context.Background(), cutoff); err != nil && !errors.Is(err, errCrash) {
		f.t.Fatal(err)
	}
	return stopped
}

// checkWhole fails when a row is neither stored nor in a file with a committed
// manifest.
func (f *fixture) checkWhole(step string, rows []string) {
	f.t.Helper()
	known := make(map[string]bool)
	for _, id := range f.stored() {
		known[id] = true
	}
	for _, name := range f.archives() {
		for _, row := range f.read(name) {
			known[row["id"].(string)] = true
		}
	}
	for _, id := range rows {
		if !known[id] {
			f.t.Fatalf("after %q: %s is lost", step, id)
		}
	}
}

// A run may stop after any of its steps: at once no row is lost, and after the
// next run none is in two files or left behind.
func TestARunMayStopAnywhere(t *testing.T) {
	const rows = 12
	all := names("a", 1, rows)
	seen := map[string]bool{}
	for n := 1; ; n++ {
		f := open(t)
		f.fill("a", rows, oldTime)
		f.fill("b", 2, newTime)
		step := f.runUntil(n)
		if step == "" {
			break
		}
		seen[step] = true
		f.checkWhole(fmt.Sprint(step, " ", n), all)
		f.run()
		if got := f.archived(); !slices.Equal(got, all) {
			t.Fatalf("stopped at %d, %q: archived %v", n, step, got)
		}
		if got := f.stored(); !slices.Equal(got, names("b", 1, 2)) {
			t.Fatalf("stopped at %d, %q: stored %v", n, step, got)
		}
		if files, archives := f.files(), f.archives(); !slices.Equal(files, archives) {
			t.Fatalf("stopped at %d, %q: files %v, manifests %v", n, step, files, archives)
		}
		if left := f.column(`SELECT file FROM usage_archives WHERE removed = 0`); len(left) != 0 {
			t.Fatalf("stopped at %d, %q: unfinished %v", n, step, left)
		}
	}
	for _, step := range []string{"written", "renamed", "file", "manifest", "removal", "finish"} {
		if !seen[step] {
			t.Errorf("no run stopped after %q", step)
		}
	}
}

// Whatever lies where the next file is written goes.
func TestAHalfWrittenFileIsForgotten(t *testing.T) {
	f := open(t)
	f.fill("a", 3, oldTime)
	unfinished := filepath.Join(f.folder, usagearchive.UnfinishedFolder, "usage.jsonl.gz")
	if err := os.MkdirAll(filepath.Dir(unfinished), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(unfinished, []byte(strings.Repeat("half", 10_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	f.run()
	if got := f.archived(); !slices.Equal(got, names("a", 1, 3)) {
		t.Errorf("archived %v", got)
	}
	if _, err := os.Stat(unfinished); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the unfinished file: %v", err)
	}
}

// A run that is told to end does so at the next step, and is continued.
func TestARunEndsWithItsContext(t *testing.T) {
	f := open(t)
	f.fill("a", 12, oldTime)
	ctx, cancel := context.WithCancel(context.Background())
	archiver, removals := f.archiver(), 0
	archiver.StopAt(func(step string) error {
		if step == "removal" {
			removals++
			cancel()
		}
		return nil
	})
	if _, err := archiver.Run(ctx, cutoff); !errors.Is(err, context.Canceled) || removals != 1 {
		t.Fatalf("%d removals, %v", removals, err)
	}
	f.run()
	if got := f.archived(); !slices.Equal(got, names("a", 1, 12)) || len(f.stored()) != 0 {
		t.Errorf("archived %v, stored %v", got, f.stored())
	}
}
