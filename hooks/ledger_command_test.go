package hooks

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// ledgerCommand runs "sokuji ledger …" as the command line does.
func ledgerCommand(t *testing.T, arguments ...string) (output string, err error) {
	t.Helper()
	root := &cobra.Command{Use: "sokuji", SilenceErrors: true}
	root.PersistentFlags().String("dir", filepath.Join(t.TempDir(), "pb_data"), "")
	root.AddCommand(newLedgerCommand())
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs(append([]string{"ledger"}, arguments...))
	err = root.ExecuteContext(t.Context())
	return out.String(), err
}

// listing is every file below a folder, with its size and when it was written.
func listing(t *testing.T, folder string) string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && !entry.IsDir() {
			lines = append(lines, fmt.Sprint(path, info.Size(), info.ModTime()))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// spend gives alice a ledger of some entries.
func (h *house) spend() {
	h.t.Helper()
	h.mint(h.alice, 1000)
	for i := range 3 {
		h.use(h.alice, 10+int64(i))
	}
	h.hold(h.alice, 10)
}

// bareCopy is a data.db as an operator would copy it, without a server.
func (h *house) bareCopy() string {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), "data.db")
	h.mustExecute("VACUUM INTO {:path}", "path", path)
	return path
}

func zipOf(t *testing.T, database string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup.zip")
	content, err := os.ReadFile(database)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	for name, content := range map[string][]byte{"auxiliary.db": nil, "data.db": content} {
		entry, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func writeTemporary(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "document")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLedgerVerifyReadsEverySourceAndLeavesNothing(t *testing.T) {
	h := newHouse(t)
	h.spend()
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	bare := h.bareCopy()
	sources := map[string][]string{
		"a live server": {"--dir", h.app.DataDir()},
		"a bare copy":   {"--backup", bare},
		"its folder":    {"--dir", filepath.Dir(bare)},
		"a zip":         {"--backup", zipOf(t, bare)},
	}
	for name, source := range sources {
		folder := filepath.Dir(bare)
		before := listing(t, folder)
		output, err := ledgerCommand(t, append([]string{"verify"}, source...)...)
		if err != nil || !strings.HasPrefix(output, "sound: wallets: 2, entries: 4, ") {
			t.Errorf("%s: %q, %v", name, output, err)
		}
		if after := listing(t, folder); after != before {
			t.Errorf("%s: files were\n%s\nand are\n%s", name, before, after)
		}
	}
	if left := listing(t, temporary); strings.Contains(left, "sokuji_verify_") {
		t.Errorf("left behind: %s", left)
	}
	h.do("GET", "/api/health/ready", nobody, "").want(200)
	h.spend() // the server goes on writing
}

func TestLedgerVerifyNamesTheRow(t *testing.T) {
	h := newHouse(t)
	h.spend()
	h.mustExecute("DROP TRIGGER wallet_ledger_no_update")
	var id string
	if err := h.app.DB().NewQuery("SELECT id FROM wallet_ledger WHERE seq = 2").Row(&id); err != nil {
		t.Fatal(err)
	}
	h.mustExecute("UPDATE wallet_ledger SET description = 'nothing' WHERE id = {:id}", "id", id)
	for _, source := range [][]string{{"--dir", h.app.DataDir()}, {"--backup", zipOf(t, h.bareCopy())}} {
		output, err := ledgerCommand(t, append([]string{"verify"}, source...)...)
		if !strings.HasPrefix(output, "wallet_ledger "+id+": ") || strings.Count(output, "\n") != 1 {
			t.Errorf("%v: %q", source, output)
		}
		if err == nil || !strings.Contains(err.Error(), "the first: wallet_ledger "+id+": ") {
			t.Errorf("%v: %v", source, err)
		}
	}
}

func TestLedgerVerifyPrintsABoundedNumberOfFindings(t *testing.T) {
	h := newHouse(t)
	h.mustExecute(`INSERT INTO wallets (id, subject_type, subject_id, balance_tokens, created_at, updated_at)
		WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1500)
		SELECT 'wallet' || n, 'user', 'wallet' || n, 1, '2026-11-24 08:00:00.000Z', '2026-11-24 08:00:00.000Z' FROM n`)
	output, err := ledgerCommand(t, "verify", "--dir", h.app.DataDir())
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if len(lines) != maxPrintedFindings+1 || lines[maxPrintedFindings] != "and 1480 more" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
	if err == nil || !strings.Contains(err.Error(), "findings: 1500, the first: wallets wallet1: ") {
		t.Error(err)
	}
}

func TestACheckpointShowsThatAChainWasCutShort(t *testing.T) {
	h := newHouse(t)
	h.spend()
	text, err := ledgerCommand(t, "checkpoint", "--dir", h.app.DataDir())
	if err != nil || !strings.HasPrefix(text, "sokuji ledger checkpoint v1\nat ") {
		t.Fatalf("%q, %v", text, err)
	}
	checkpoint := writeTemporary(t, text)
	h.use(h.alice, 1)
	if output, err := ledgerCommand(t, "verify", "--dir", h.app.DataDir(), "--checkpoint", checkpoint); err != nil {
		t.Fatalf("%s%v", output, err)
	}

	// The last two entries are removed, and all that is known of them.
	for _, trigger := range []string{"wallet_ledger_no_delete", "wallets_no_delete"} {
		h.mustExecute("DROP TRIGGER " + trigger)
	}
	h.mustExecute("DELETE FROM usage_logs WHERE id IN (SELECT id FROM wallet_ledger WHERE seq > 3)")
	h.mustExecute("DELETE FROM wallet_ledger WHERE seq > 3")
	h.mustExecute(`UPDATE wallets SET (seq, balance_tokens, head_hash) =
		(SELECT seq, balance_after, hash FROM wallet_ledger ORDER BY seq DESC LIMIT 1) WHERE id = {:id}`, "id", h.alice.Id)
	h.mustExecute("UPDATE usage_daily SET uses = 2, tokens = 21")
	h.mustExecute("DELETE FROM usage_quarters")
	h.mustExecute(`INSERT INTO usage_quarters SELECT unixepoch(created_at) / 900, subject_id, subject_type, COUNT(*), SUM(charged_tokens), 0, 0 FROM usage_logs GROUP BY 1, 2`)
	if output, err := ledgerCommand(t, "verify", "--dir", h.app.DataDir()); err != nil {
		t.Fatalf("alone the file cannot know: %s%v", output, err)
	}
	output, err := ledgerCommand(t, "verify", "--dir", h.app.DataDir(), "--checkpoint", checkpoint)
	if err == nil || !strings.HasPrefix(output, "wallets "+h.alice.Id+": ") || !strings.Contains(output, "cut short") {
		t.Errorf("%q, %v", output, err)
	}
}

func TestLedgerStatementIsOfTheseBooks(t *testing.T) {
	h, other := newHouse(t), newHouse(t)
	h.spend()
	other.spend()
	for _, format := range []string{"json", "csv"} {
		for _, who := range []string{h.alice.Id, aliceEmail, strings.ToUpper(aliceEmail)} {
			text, err := ledgerCommand(t, "statement", who, "--dir", h.app.DataDir(), "--format", format)
			if err != nil || strings.Count(text, `use`) < 3 {
				t.Fatalf("%s of %s: %v\n%s", format, who, err, text)
			}
			document := writeTemporary(t, text)
			if output, err := ledgerCommand(t, "verify", "--dir", h.app.DataDir(), "--statement", document); err != nil {
				t.Errorf("%s of %s: %s%v", format, who, output, err)
			}
			output, err := ledgerCommand(t, "verify", "--dir", other.app.DataDir(), "--statement", document)
			if err == nil || !strings.HasPrefix(output, "statement "+document+": its closing at seq 4 ") {
				t.Errorf("%s in other books: %q, %v", format, output, err)
			}
			changed := writeTemporary(t, strings.Replace(text, "1000", "2000", 1))
			output, err = ledgerCommand(t, "verify", "--dir", h.app.DataDir(), "--statement", changed)
			if err == nil || !strings.HasPrefix(output, "statement "+changed+": ") {
				t.Errorf("a changed %s: %q, %v", format, output, err)
			}
		}
	}
}

func TestLedgerStatementOfAPeriod(t *testing.T) {
	h := newHouse(t)
	h.spend()
	tomorrow := time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	for name, test := range map[string]struct {
		arguments []string
		uses      int
		opening   string
	}{
		"until now":  {[]string{"--to", tomorrow}, 3, `"seq":0`},
		"from later": {[]string{"--from", tomorrow}, 0, `"seq":4`},
		"before all": {[]string{"--to", "2020-01-01T00:00:00Z"}, 0, `"seq":0`},
	} {
		text, err := ledgerCommand(t, append([]string{"statement", h.alice.Id, "--dir", h.app.DataDir()}, test.arguments...)...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, opening, _ := strings.Cut(text, `"opening":`)
		if uses := strings.Count(text, `"eventType":"use"`); uses != test.uses || !strings.Contains(opening[:40], test.opening) {
			t.Errorf("%s: %d uses, opening %s", name, uses, opening[:40])
		}
	}
}

func TestLedgerCommandsRefuseWhatTheyCannotUse(t *testing.T) {
	h := newHouse(t)
	h.spend()
	dir := h.app.DataDir()
	noDatabase := zipOf(t, writeTemporary(t, "SQLite format 3 it is not"))
	for name, test := range map[string]struct {
		arguments []string
		says      string
	}{
		"no data folder":         {[]string{"verify"}, "no such file"},
		"a folder as a backup":   {[]string{"verify", "--backup", dir}, "is not a file"},
		"a text as a backup":     {[]string{"verify", "--backup", writeTemporary(t, "hello")}, "not a SQLite database"},
		"a zip with a text":      {[]string{"verify", "--backup", noDatabase}, "not a SQLite database"},
		"two sources":            {[]string{"verify", "--backup", "x", "--dir", dir}, "exclude each other"},
		"an argument":            {[]string{"verify", "now"}, "unknown command"},
		"an unknown command":     {[]string{"verfy"}, "unknown command"},
		"a missing checkpoint":   {[]string{"verify", "--dir", dir, "--checkpoint", "/nowhere"}, "no such file"},
		"a bad checkpoint":       {[]string{"verify", "--dir", dir, "--checkpoint", writeTemporary(t, "hello\n")}, "checkpoint, line 1: "},
		"a bad statement":        {[]string{"verify", "--dir", dir, "--statement", writeTemporary(t, "hello\n")}, "the beginning of the statement"},
		"a statement of nobody":  {[]string{"statement", "--dir", dir}, "accepts 1 arg"},
		"an unknown user":        {[]string{"statement", "nobody", "--dir", dir}, `no wallet of user "nobody"`},
		"an unknown address":     {[]string{"statement", "x@example.com", "--dir", dir}, `"x@example.com"`},
		"a user as organization": {[]string{"statement", h.alice.Id, "--organization", "--dir", dir}, "no wallet of organization"},
		"an unknown format":      {[]string{"statement", h.alice.Id, "--format", "xml", "--dir", dir}, "choose json or csv"},
		"a bad time":             {[]string{"statement", h.alice.Id, "--from", "soon", "--dir", dir}, "--from: "},
		"a period upside down":   {[]string{"statement", h.alice.Id, "--from", "2026-02-01", "--to", "2026-01-01", "--dir", dir}, "--to lies before --from"},
	} {
		output, err := ledgerCommand(t, test.arguments...)
		if err == nil || !strings.Contains(err.Error(), test.says) || output != "" {
			t.Errorf("%s: %q, %v, want %q", name, output, err, test.says)
		}
	}
}

func TestAnInterruptedCommandEndsCleanly(t *testing.T) {
	h := newHouse(t)
	h.spend()
	temporary := t.TempDir()
	backup := zipOf(t, h.bareCopy())
	t.Setenv("TMPDIR", temporary)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, arguments := range [][]string{
		{"verify", "--dir", h.app.DataDir()}, {"verify", "--backup", backup}, {"checkpoint", "--backup", backup},
		{"statement", h.alice.Id, "--dir", h.app.DataDir()},
	} {
		command := newLedgerCommand()
		command.PersistentFlags().String("dir", "", "")
		command.SetArgs(arguments)
		command.SetOut(io.Discard)
		command.SilenceErrors = true
		if err := interrupted(command.ExecuteContext(ctx)); err == nil || !strings.HasPrefix(err.Error(), "interrupted") {
			t.Errorf("%v: %v", arguments, err)
		}
	}
	if left := listing(t, temporary); left != "" {
		t.Errorf("left behind: %s", left)
	}
}

func TestTheBarIsDrawnForPeopleWhoWait(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	bar := &progressBar{w: &out, now: func() time.Time { return now }, next: now.Add(progressDelay)}
	bar.show(1, 10)
	bar.clear()
	if out.Len() > 0 {
		t.Fatalf("too early: %q", out.String())
	}
	now = now.Add(progressDelay)
	bar.show(5, 10)
	bar.show(6, 10)
	want := "\r[" + strings.Repeat("#", progressWidth/2) + strings.Repeat(".", progressWidth/2) + "]  50 %"
	if out.String() != want {
		t.Fatalf("%q, want %q", out.String(), want)
	}
	bar.clear()
	bar.clear()
	if out.String() != want+"\r\x1b[K" {
		t.Errorf("%q", out.String())
	}
	bar.w = nil
	bar.next = now
	bar.show(1, 1)
	if bar.visible {
		t.Error("it draws where nobody looks")
	}
}
