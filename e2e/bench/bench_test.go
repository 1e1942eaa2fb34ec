package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"sokuji/e2e/testserver"
	"sokuji/hooks"
	"sokuji/internal/ledger/verify"
)

// tiny settings prove that everything works, not how fast.
var tiny = settings{
	connections: []int{1, 4}, seconds: 300 * time.Millisecond, rows: 500, wallets: 20, users: 2, sizes: smokeSizes,
}

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

func TestEveryPartWorks(t *testing.T) {
	testserver.Build(t) // before TMPDIR changes: it outlives the test
	for _, part := range parts() {
		t.Run(part, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			chosen := tiny
			chosen.only = []string{part}
			measured, found, err := run(t.Context(), chosen, t.Output(), t.Output())
			if err != nil {
				t.Fatal(err)
			}
			if part == partCells {
				checkCells(t, measured)
			} else {
				checkFindings(t, found)
			}
			left, err := os.ReadDir(os.TempDir())
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

func checkCells(t *testing.T, measured results) {
	t.Helper()
	for _, connections := range tiny.connections {
		for _, name := range rows {
			seen, ok := measured[place{name, connections}]
			if wanted := connections <= maxConnectionsOf(name); ok != wanted {
				t.Errorf("%s at %d connections: measured %v, want %v", name, connections, ok, wanted)
			}
			if ok && (seen.perSecond <= 0 || seen.p50 <= 0 || seen.p99 < seen.p50) {
				t.Errorf("%s at %d connections: %+v", name, connections, seen)
			}
		}
	}
	if compared := findingsOf(measured); len(compared) != len(ratios) {
		t.Errorf("%d of %d ratios were found", len(compared), len(ratios))
	}
}

func checkFindings(t *testing.T, found []finding) {
	t.Helper()
	if len(found) == 0 {
		t.Error("nothing was found")
	}
	for _, one := range found {
		if one.what == "" || one.measured == "" || one.compared == "" || math.IsNaN(one.ratio) || math.IsInf(one.ratio, 0) {
			t.Errorf("%+v", one)
		}
	}
}

// A file that is not valid would be measured all the same, but not be what an
// operator has.
func TestFilledBooksAreValid(t *testing.T) {
	for name, with := range map[string]filling{
		"uses":         {wallets: 7, rows: 100},
		"more batches": {wallets: 3, rows: fillBatch + 10},
		"mints":        {wallets: 2, rows: 50, mints: true},
		"wallets":      {wallets: 20},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if err := fillBooks(t.Context(), folder, with); err != nil {
				t.Fatal(err)
			}
			pool, err := hooks.ConnectDatabase(filepath.Join(folder, bookFile))
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			report, err := verify.File(t.Context(), pool.DB(), verify.Options{})
			if err != nil || len(report.Findings) > 0 {
				t.Errorf("%v, %v", report.Findings, err)
			}
			var rows, uses int
			if err := pool.DB().QueryRow(`SELECT (SELECT COUNT(*) FROM wallet_ledger), (SELECT COUNT(*) FROM usage_logs)`).Scan(&rows, &uses); err != nil {
				t.Fatal(err)
			}
			wantRows := max(with.rows, with.wallets)
			wantUses := wantRows - with.wallets
			if with.mints {
				wantUses = 0
			}
			if rows != wantRows || uses != wantUses {
				t.Errorf("%d entries and %d uses, want %d and %d", rows, uses, wantRows, wantUses)
			}
		})
	}
}

// The reference must write what the server writes, or it proves nothing.
func TestALoopWritesTheServersRows(t *testing.T) {
	folder := t.TempDir()
	if err := fillBooks(t.Context(), folder, filling{wallets: 5, rows: 5}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		shape                    loopShape
		charges, touched, tokens int64
	}{
		"a wallet's row": {loopShape{}, 0, 0, 1}, // changed, or nothing waits for the disk
		"of one wallet":  {loopShape{charges: 4, oneWallet: true}, 4, 1, 4},
		"of many":        {loopShape{charges: 4}, 4, 4, 4},
	} {
		t.Run(name, func(t *testing.T) {
			mine := t.TempDir()
			if err := os.CopyFS(filepath.Join(mine, "books"), os.DirFS(folder)); err != nil {
				t.Fatal(err)
			}
			l, err := openLoop(filepath.Join(mine, "books"), 5, loopVariant{})
			if err != nil {
				t.Fatal(err)
			}
			defer l.close()
			if err := l.commit(t.Context(), test.shape); err != nil {
				t.Fatal(err)
			}
			for what, want := range map[string]int64{
				`SELECT COUNT(*) FROM wallet_ledger WHERE event_type = 'use'`:                               test.charges,
				`SELECT COUNT(*) FROM usage_logs u JOIN wallet_ledger l ON l.id = u.id`:                     test.charges,
				`SELECT COALESCE(SUM(uses), 0) FROM usage_daily`:                                            test.charges,
				`SELECT COALESCE(SUM(tokens), 0) FROM usage_quarters`:                                       test.charges,
				`SELECT COUNT(*) FROM usage_quarters`:                                                       test.touched,
				`SELECT COUNT(*) FROM wallets WHERE seq > 1`:                                                test.touched,
				`SELECT 5 * ` + strconv.FormatInt(walletTokens, 10) + ` - SUM(balance_tokens) FROM wallets`: test.tokens,
			} {
				var have int64
				if err := l.db.QueryRow(what).Scan(&have); err != nil || have != want {
					t.Errorf("%s: %d, want %d (%v)", what, have, want, err)
				}
			}
		})
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

func TestRatios(t *testing.T) {
	at := func(name row, connections int, perSecond float64) (place, figures) {
		return place{name, connections}, figures{perSecond: perSecond, p50: time.Duration(1000 / perSecond)}
	}
	measured := make(results)
	for _, cell := range []struct {
		name        row
		connections int
		perSecond   float64
	}{
		{rowBarePost, 1, 10}, {rowBarePost, 64, 100}, {rowBarePost, 256, 1},
		{rowUse, 1, 5}, {rowUse, 64, 20}, {rowUse, 256, 50},
		{rowLoop64, 1, 30}, {rowLoop256, 1, 50}, {rowLoop1024, 1, 40},
		{rowBatchLarge, 1, 45}, {rowBatchLarge, 16, 10},
		{rowTransaction, 1, 20},
	} {
		where, what := at(cell.name, cell.connections, cell.perSecond)
		measured[where] = what
	}
	got := make(map[string]finding)
	for _, one := range findingsOf(measured) {
		got[one.what] = one
	}
	for what, want := range map[string]struct {
		ratio   float64
		verdict string
	}{
		"at 64: POST use, superuser : POST bare net/http":                        {0.2, "missed"},
		"at 1: POST use/batch of 1,000 (uses) : SQLite, 256 charges of a wallet": {0.9, "reached"},
		"p50 at 1: POST use, superuser : SQLite, one row a transaction":          {4, "missed"},
	} {
		if one, ok := got[what]; !ok || one.ratio != want.ratio || one.verdict() != want.verdict {
			t.Errorf("%s: %+v, %q", what, one, one.verdict())
		}
	}
	if len(got) != 3 {
		t.Errorf("compared what was not measured: %v", got)
	}
}

func TestOwnMemoryAndTimeAreRead(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("there is no /proc here")
	}
	occupied, err := memoryOf(os.Getpid())
	if err != nil || occupied.own <= 0 || occupied.own > occupied.resident {
		t.Errorf("%+v, %v", occupied, err)
	}
	before := cpuTime(os.Getpid())
	for busy := time.Now(); time.Since(busy) < 100*time.Millisecond; {
	}
	if spent := cpuTime(os.Getpid()) - before; spent < 10*time.Millisecond || spent > 10*time.Second {
		t.Errorf("a busy tenth of a second took %v", spent)
	}
	if cpuTime(0) != 0 {
		t.Error("no process has spent time")
	}
}

func TestSettings(t *testing.T) {
	usual, err := parseSettings(nil)
	if err != nil || len(usual.connections) != 4 || usual.seconds != 2*time.Second || usual.rows != 100_000 ||
		usual.sizes.manyRows != usualSizes.manyRows || !usual.wants("leads") {
		t.Errorf("%+v, %v", usual, err)
	}
	quick, err := parseSettings([]string{"-quick", "-connections", "2", "-only", "cells,pages"})
	if err != nil || quick.connections[0] != 2 || quick.seconds != 300*time.Millisecond || quick.rows != 1_000 ||
		quick.sizes.manyRows != smokeSizes.manyRows || !quick.wants("pages") || quick.wants("leads") {
		t.Errorf("%+v, %v", quick, err)
	}
	t.Setenv(fullVariable, "1")
	full, err := parseSettings(nil)
	if err != nil || full.sizes.manyRows != 5_000_000 || full.sizes.startWallets != 1_000_000 {
		t.Errorf("%+v, %v", full, err)
	}
	for _, wrong := range [][]string{
		{"-connections", "0"}, {"-connections", "a"}, {"-seconds", "0"}, {"-rows", "-1"}, {"more"}, {"-only", "nothing"},
	} {
		if _, err := parseSettings(wrong); err == nil {
			t.Errorf("%v was taken", wrong)
		}
	}
}
