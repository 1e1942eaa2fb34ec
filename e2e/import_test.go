package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sokuji/e2e/dumpgen"
	"sokuji/e2e/testserver"
)

const (
	// importRowsVariable sets how many rows the ledger of the imported dump has.
	importRowsVariable = "SOKUJI_IMPORT_ROWS"
	defaultImportRows  = 50_000
	// rowsPerImportUser spreads them over wallets.
	rowsPerImportUser = 50
	wrongImportRows   = 7 // wallets whose balance is not their ledger's sum
	// maxImportMemory is the most that an import may take, whatever the dump's size, in
	// bytes.
	maxImportMemory = 300 << 20
	// importTimeout bounds one test, with a million rows on a slow disk.
	importTimeout = 40 * time.Minute
	// killsPerImport is how often the process is killed before it may finish.
	killsPerImport = 3
)

func importContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), importTimeout)
	t.Cleanup(cancel)
	return ctx
}

// importDump is a generated dump on disk.
type importDump struct {
	path    string
	options dumpgen.Options
	facts   dumpgen.Facts
}

func writeDump(t *testing.T, rows int) importDump {
	t.Helper()
	now := time.Now()
	d := importDump{path: filepath.Join(t.TempDir(), "export.sql"), options: dumpgen.Options{
		Seed: 7, Users: max(1, rows/rowsPerImportUser), Rows: rows, Now: now, Until: now.Add(5 * 24 * time.Hour),
		WrongBalances: wrongImportRows,
	}}
	file, err := os.Create(d.path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if d.facts, err = dumpgen.Write(file, d.options); err != nil {
		t.Fatal(err)
	}
	return d
}

// importReport is the part of a report that is looked at.
type importReport struct {
	Tables []struct {
		Table                                       string
		Read, Imported, AlreadyThere, Skipped, Made int64
	}
}

func (r importReport) of(table string) (read, imported, there, skipped int64) {
	for _, t := range r.Tables {
		if t.Table == table {
			return t.Read, t.Imported, t.AlreadyThere, t.Skipped
		}
	}
	return 0, 0, 0, 0
}

func (r importReport) imported() (rows int64) {
	for _, t := range r.Tables {
		rows += t.Imported
	}
	return rows
}

// importRun is one run of the command that came to its end.
type importRun struct {
	report importReport
	took   time.Duration
	memory int64 // at most, in bytes; 0 where the system does not tell
}

func runImport(t *testing.T, dir, dump string) importRun {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report.json")
	command := exec.CommandContext(importContext(t), testserver.Build(t), "import", "d1", dump, "--dir", dir, "--report", report)
	started := time.Now()
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("import: %v\n%s", err, output)
	}
	run := importRun{took: time.Since(started), memory: peakMemory(command.ProcessState)}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &run.report); err != nil {
		t.Fatal(err)
	}
	return run
}

func proveBooks(t *testing.T, dir string) {
	t.Helper()
	output, exitCode, err := testserver.Run(importContext(t), testserver.Options{Dir: dir}, "ledger", "verify")
	if err != nil || exitCode != 0 || !strings.Contains(output, "sound: ") {
		t.Fatalf("ledger verify ended with exit code %d, %v\n%s", exitCode, err, output)
	}
}

// Killed again and again, an import loses nothing and doubles nothing.
func TestAKilledImportGoesOn(t *testing.T) {
	rows := int(uintFromEnv(t, importRowsVariable, defaultImportRows))
	dump := writeDump(t, rows)
	dir := t.TempDir()
	kills := 0
	for kills < killsPerImport {
		reached, ended := killImport(t, dir, dump.path, int64(rows)*int64(kills+1)/(killsPerImport+2))
		if ended {
			break
		}
		kills++
		t.Logf("killed with %d of %d entries in the books", reached, rows)
	}
	if kills == 0 {
		t.Fatal("no import was killed halfway: that tests nothing")
	}
	last := runImport(t, dir, dump.path)
	read, imported, there, skipped := last.report.of("wallet_ledger")
	if read != int64(rows) || imported+there != int64(rows) || skipped != 0 || there == 0 || imported == 0 {
		t.Errorf("the last run read %d entries, imported %d, found %d and skipped %d", read, imported, there, skipped)
	}
	checkImport(t, dir, dump)

	again := runImport(t, dir, dump.path)
	if again.report.imported() != 0 {
		t.Errorf("a second import of the same dump imported %d rows: %+v", again.report.imported(), again.report)
	}
	checkImport(t, dir, dump)
	if leftovers, err := filepath.Glob(filepath.Join(dir, "d1_import*")); err != nil || len(leftovers) > 0 {
		t.Errorf("the import left %v (%v)", leftovers, err)
	}
}

// Nobody names a folder who follows the guide from beside the binary: it is pb_data
// then, and relative, as any other that is typed by hand.
func TestAnImportIntoARelativeFolder(t *testing.T) {
	dump := writeDump(t, wrongImportRows*rowsPerImportUser)
	here := t.TempDir()
	for folder, arguments := range map[string][]string{"pb_data": nil, "other": {"--dir", "other"}} {
		for _, flag := range [][]string{nil, {"--dry-run"}} {
			command := exec.CommandContext(importContext(t), testserver.Build(t), slices.Concat([]string{"import", "d1", dump.path}, arguments, flag)...)
			command.Args[0], command.Dir = "./sokuji", here // as it is started from its own folder
			if output, err := command.CombinedOutput(); err != nil {
				t.Fatalf("import %q: %v\n%s", arguments, err, output)
			}
		}
		checkImport(t, filepath.Join(here, folder), dump)
	}
}

// killImport starts an import and kills it once so many entries are in the books.
func killImport(t *testing.T, dir, dump string, entries int64) (reached int64, ended bool) {
	t.Helper()
	command := exec.CommandContext(importContext(t), testserver.Build(t), "import", "d1", dump, "--dir", dir)
	output := new(bytes.Buffer)
	command.Stdout, command.Stderr = output, output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- command.Wait() }()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("import: %v\n%s", err, output)
			}
			return reached, true
		case <-time.After(5 * time.Millisecond):
		}
		if reached = countEntries(dir); reached >= entries {
			_ = command.Process.Kill()
			<-done
			return countEntries(dir), false
		}
	}
}

// countEntries is 0 while there are no books yet.
func countEntries(dir string) (count int64) {
	db, err := sql.Open("sqlite", databaseAddress(dir)+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		return 0
	}
	defer db.Close()
	_ = db.QueryRow(`SELECT COUNT(*) FROM wallet_ledger`).Scan(&count)
	return count
}

// checkImport holds the books against what the generator says of the dump.
func checkImport(t *testing.T, dir string, dump importDump) {
	t.Helper()
	proveBooks(t, dir)
	db := openDatabase(t, dir)
	facts := dump.facts
	for query, want := range map[string]int64{
		`SELECT COUNT(*) FROM users`:                                                   int64(dump.options.Users),
		`SELECT COUNT(*) FROM sessions`:                                                int64(dump.options.Users),
		`SELECT COUNT(*) FROM scrypt_passwords`:                                        int64(dump.options.Users),
		`SELECT COUNT(*) FROM app_user`:                                                int64(dump.options.Users),
		`SELECT COUNT(*) FROM entitlements`:                                            int64(dump.options.Users),
		`SELECT COUNT(*) FROM wallet_ledger WHERE event_type = 'use'`:                  facts.Uses,
		`SELECT COUNT(*) FROM wallet_ledger WHERE event_type = 'mint'`:                 facts.Mints,
		`SELECT COUNT(*) FROM wallet_ledger WHERE event_type = 'adjust'`:               wrongImportRows,
		`SELECT COUNT(*) FROM usage_logs`:                                              facts.Uses,
		`SELECT SUM(charged_tokens) FROM usage_logs`:                                   facts.UseTokens,
		`SELECT SUM(tokens) FROM usage_daily`:                                          facts.UseTokens,
		`SELECT SUM(uses) FROM usage_quarters`:                                         facts.Uses,
		`SELECT COUNT(*) FROM usage_logs u JOIN wallet_ledger e ON e.id = u.ledger_id`: facts.Uses,
		// Their chains are in the order of their times.
		`SELECT COUNT(*) FROM wallet_ledger a JOIN wallet_ledger b ON b.subject_id = a.subject_id AND b.seq = a.seq + 1
			WHERE b.created_at < a.created_at`: 0,
	} {
		var got int64
		if err := db.QueryRowContext(importContext(t), query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %d, want %d (%v)", query, got, want, err)
		}
	}
	for n, want := range facts.Balances {
		var balance int64
		err := db.QueryRowContext(importContext(t), `SELECT balance_tokens FROM wallets WHERE id = ?`, dumpgen.UserID(dump.options.Seed, n)).Scan(&balance)
		if err != nil || balance != want {
			t.Fatalf("user %d has %d tokens, and in the dump %d (%v)", n, balance, want, err)
		}
	}
}

// The figures of a large import. The bound on memory holds for any size.
func TestAnImportIsFastAndSmall(t *testing.T) {
	rows := int(uintFromEnv(t, importRowsVariable, defaultImportRows))
	dump := writeDump(t, rows)
	info, err := os.Stat(dump.path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := runImport(t, dir, dump.path)
	total := run.report.imported()
	t.Logf("%d ledger rows, %d rows in all, %d MB of SQL: %s, %.0f ledger rows a second, %.0f rows a second, %d MB of memory at most",
		rows, total, info.Size()>>20, run.took.Round(time.Millisecond), float64(rows)/run.took.Seconds(), float64(total)/run.took.Seconds(), run.memory>>20)
	if run.memory > maxImportMemory {
		t.Errorf("the import took %d MB of memory, more than %d", run.memory>>20, maxImportMemory>>20)
	}
	if run.memory == 0 {
		t.Log("the system does not tell how much memory a process took")
	}
	checkImport(t, dir, dump)
}

// What a real database gathers over the years ends no import: it is in the report.
func TestStrangeRowsEndNoImport(t *testing.T) {
	now := time.Now()
	options := dumpgen.Options{Seed: 3, Users: 5, Rows: 200, Now: now, Until: now.Add(time.Hour), Extra: dumpgen.Strange(3)}
	path := filepath.Join(t.TempDir(), "export.sql")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	facts, err := dumpgen.Write(file, options)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	report := runImport(t, dir, path).report
	for table, want := range map[string][4]int64{ // read, imported, already there, skipped
		"user": {7, 5, 0, 2}, "account": {8, 6, 0, 2}, "session": {7, 5, 0, 2}, "app_user": {6, 5, 0, 1}, "wallets": {8, 7, 0, 1},
		"wallet_ledger": {206, 204, 0, 2}, "usage_logs": {facts.Uses + 2, facts.Uses + 2, 0, 0}, "verification": {1, 0, 0, 1}, "plans": {3, 0, 3, 0},
	} {
		read, imported, there, skipped := report.of(table)
		if got := [4]int64{read, imported, there, skipped}; got != want {
			t.Errorf("%s: read, imported, already there, skipped: %v, want %v", table, got, want)
		}
	}
	proveBooks(t, dir)
	if again := runImport(t, dir, path).report; again.imported() != 0 {
		t.Errorf("a second import imported %d rows", again.imported())
	}
	// The server starts on them, and finds the books sound.
	server := testserver.Start(t, testserver.Options{Dir: dir})
	if balance := balanceOf(t, server, dumpgen.UserID(3, 1)); balance != facts.Balances[1] {
		t.Errorf("the balance is %d, and in the dump %d", balance, facts.Balances[1])
	}
}
