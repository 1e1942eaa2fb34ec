package main

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"sokuji/e2e/testserver"
)

// tiny settings prove that everything works, not how fast.
var tiny = settings{connections: []int{1, 4}, seconds: 100 * time.Millisecond, rows: 500, wallets: 20, users: 2}

// TestMain lets the test binary play the roles that the program starts.
func TestMain(m *testing.M) {
	if isRole(os.Args[1:]) {
		os.Exit(exitCode(playRole(os.Args[1:])))
	}
	code := m.Run()
	if err := testserver.RemoveBinary(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func TestEveryCellWorks(t *testing.T) {
	testserver.Build(t) // before TMPDIR changes: it outlives the test
	t.Setenv("TMPDIR", t.TempDir())
	measured, err := run(t.Context(), tiny, t.Output(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, connections := range tiny.connections {
		for _, name := range rows {
			seen, ok := measured[place{name, connections}]
			loops := name == rowLoop || name == rowLoopBatch
			if wanted := !loops || connections == 1; ok != wanted {
				t.Errorf("%s at %d connections: measured %v, want %v", name, connections, ok, wanted)
			}
			if ok && (seen.perSecond <= 0 || seen.p50 <= 0 || seen.p99 < seen.p50) {
				t.Errorf("%s at %d connections: %+v", name, connections, seen)
			}
		}
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A cell with failures is worth nothing, however fast they come.
func TestARefusalFailsTheCell(t *testing.T) {
	bare, err := startBare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer bare.close()
	host := hostOf(bare.URL)
	wrong := load{
		host: host, requests: [][]byte{rawRequest("POST", host, bareUsePath, "", "no JSON")},
		connections: 2, seconds: tiny.seconds,
	}
	_, err = wrong.run(t.Context())
	if _, refused := errors.AsType[*refusedError](err); !refused {
		t.Fatalf("got %v", err)
	}
}

func TestPercentile(t *testing.T) {
	sorted := make([]time.Duration, 100)
	for i := range sorted {
		sorted[i] = time.Duration(i + 1)
	}
	for percent, want := range map[int]time.Duration{0: 1, 50: 51, 99: 100} {
		if got := percentile(sorted, percent); got != want {
			t.Errorf("percentile %d is %d, want %d", percent, got, want)
		}
	}
	if got := percentile(sorted[:1], 99); got != 1 {
		t.Errorf("of one: %d", got)
	}
}

func TestSettings(t *testing.T) {
	full, err := parseSettings(nil)
	if err != nil || len(full.connections) != 3 || full.seconds != 3*time.Second || full.rows != 100_000 {
		t.Errorf("%+v, %v", full, err)
	}
	quick, err := parseSettings([]string{"-quick", "-connections", "2"})
	if err != nil || quick.connections[0] != 2 || quick.seconds != 300*time.Millisecond || quick.rows != 1_000 {
		t.Errorf("%+v, %v", quick, err)
	}
	for _, wrong := range [][]string{{"-connections", "0"}, {"-connections", "a"}, {"-seconds", "0"}, {"-rows", "-1"}, {"more"}} {
		if _, err := parseSettings(wrong); err == nil {
			t.Errorf("%v was taken", wrong)
		}
	}
}
