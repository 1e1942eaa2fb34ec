package hooks

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/cron"

	"sokuji/internal/usagearchive"
)

// retain runs the nightly job as the dashboard's button does.
func (h *house) retain() {
	h.t.Helper()
	for _, job := range h.app.Cron().Jobs() {
		if job.Id() == usageRetentionJob {
			job.Run()
			return
		}
	}
	h.t.Fatal("there is no such job")
}

// age moves all usage into the past, which nothing but a test may do.
func (h *house) age(days int) {
	h.t.Helper()
	h.mustExecute("DROP TRIGGER IF EXISTS usage_logs_no_update")
	h.mustExecute("UPDATE usage_logs SET created_at = strftime('%Y-%m-%d %H:%M:%fZ', created_at, {:days} || ' days')", "days", -days)
	h.mustExecute("UPDATE usage_daily SET day = date(day, {:days} || ' days'), id = id || '-aged'", "days", -days)
	h.mustExecute("UPDATE usage_quarters SET slot = slot - {:days} * 96", "days", days)
}

// oldRows puts usage rows of long ago into the database.
func (h *house) oldRows(rows int) {
	h.t.Helper()
	h.mustExecute(`WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {:rows})
		INSERT INTO usage_logs (id, subject_type, subject_id, charged_tokens, created_at)
		SELECT printf('0old%05d', n), 'user', {:id}, 1, '2020-01-01 00:00:00.000Z' FROM n`, "rows", rows, "id", h.alice.Id)
	h.mustExecute(`INSERT INTO usage_daily (id, subject_type, subject_id, day, uses, tokens) VALUES ('old', 'user', {:id}, '2020-01-01', {:rows}, {:rows})`,
		"rows", rows, "id", h.alice.Id)
}

func (h *house) archiveFiles() []string {
	h.t.Helper()
	paths, err := filepath.Glob(filepath.Join(h.app.DataDir(), "archive", "*.jsonl.gz"))
	if err != nil {
		h.t.Fatal(err)
	}
	return paths
}

// archivedText is what zcat shows of all files.
func (h *house) archivedText() string {
	h.t.Helper()
	var text strings.Builder
	for _, path := range h.archiveFiles() {
		content, err := os.ReadFile(path)
		if err != nil {
			h.t.Fatal(err)
		}
		reader, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			h.t.Fatal(err)
		}
		if _, err := io.Copy(&text, reader); err != nil {
			h.t.Fatal(err)
		}
	}
	return text.String()
}

func TestWithoutASettingUsageStays(t *testing.T) {
	h := newHouse(t)
	if slices.ContainsFunc(h.app.Cron().Jobs(), func(job *cron.Job) bool { return job.Id() == usageRetentionJob }) {
		t.Error("the job is there without being asked for")
	}
}

// What is archived leaves the list and its total; the ledger, the sums and the
// charts stay, and a repeated use still answers.
func TestOldUsageIsArchived(t *testing.T) {
	h := newHouse(t, "USAGE_RETENTION_DAYS", "40")
	h.mint(h.alice, 1000)
	const key = "of an old use"
	body := object("userId", h.alice.Id, "amount", 7, "sessionId", "s1")
	first := h.do("POST", "/api/wallet/use", h.asRoot(), body, "Idempotency-Key", key).want(200)
	h.use(h.alice, 5)
	h.age(41)
	h.use(h.alice, 3)
	h.age(35) // 76 and 35 days ago
	h.use(h.alice, 2)
	before := h.snapshot("wallets", "wallet_ledger", "wallet_requests", "usage_daily", "usage_quarters", "audit_log")
	h.retain()
	h.unchanged(before)

	list := h.do("GET", "/api/wallet/usage", h.asAlice(), "").want(200)
	if list.length("usage") != 2 || list.number("pagination.total") != 2 {
		t.Errorf("the list shows %d of %d uses, want 2 of 2", list.length("usage"), list.number("pagination.total"))
	}
	text := h.archivedText()
	if strings.Count(text, "\n") != 2 || !strings.Contains(text, `"id":"`+first.text("usage.id")+`"`) || !strings.Contains(text, `"session_id":"s1"`) {
		t.Errorf("archived is\n%s", text)
	}
	if got := h.do("GET", "/api/wallet/ledger", h.asAlice(), "").want(200).number("pagination.total"); got != 5 {
		t.Errorf("the ledger has %d entries, want 5", got)
	}
	status := h.do("GET", "/api/user/profile", h.asAlice(), "").want(200)
	if status.number("user.tokensUsed") != 17 {
		t.Errorf("tokensUsed is %d, want 17", status.number("user.tokensUsed"))
	}

	again := h.do("POST", "/api/wallet/use", h.asRoot(), body, "Idempotency-Key", key).want(200)
	if again.header.Get("Idempotent-Replayed") != "true" || again.text("ledgerEntry.id") != first.text("ledgerEntry.id") ||
		again.number("deducted") != 7 || again.value("usage") != nil {
		t.Errorf("the repeated use answers %s", again.body)
	}
	h.do("POST", "/api/wallet/refund", h.asRoot(), object("ledgerId", first.text("ledgerEntry.id"))).want(200)
	h.retain()
	if files := h.archiveFiles(); len(files) != 1 {
		t.Errorf("a second run left %v", files)
	}
}

// Charges go on while rows are read, written and removed; none is refused or lost.
func TestChargesGoOnDuringARun(t *testing.T) {
	h := newHouse(t, "USAGE_RETENTION_DAYS", "35")
	const oldRows, clients, balance = 6_000, 4, 1_000_000
	h.mint(h.alice, balance)
	h.oldRows(oldRows)
	asRoot := h.asRoot()
	var run, charging sync.WaitGroup
	var isOver atomic.Bool
	var charged, chargedDuringRemoval atomic.Int64
	run.Go(func() { h.retain(); isOver.Store(true) })
	for range clients {
		charging.Go(func() {
			for !isOver.Load() {
				removing := h.count("usage_archives", "removed = 0") > 0
				h.do("POST", "/api/wallet/use", asRoot, object("userId", h.alice.Id, "amount", 1)).wantOutcome("200")
				charged.Add(1)
				if removing && h.count("usage_archives", "removed = 0") > 0 {
					chargedDuringRemoval.Add(1)
				}
			}
		})
	}
	run.Wait()
	charging.Wait()
	if chargedDuringRemoval.Load() < clients {
		t.Errorf("only %d charges fell into the removal: this test shows nothing", chargedDuringRemoval.Load())
	}
	if got := h.balance(h.alice); got != balance-charged.Load() {
		t.Errorf("the balance is %d after %d charges", got, charged.Load())
	}
	if now := h.count("usage_logs", "TRUE"); int64(now) != charged.Load() {
		t.Errorf("%d usage rows are left, want %d", now, charged.Load())
	}
	if lines := strings.Count(h.archivedText(), "\n"); lines != oldRows {
		t.Errorf("%d rows are archived, want %d", lines, oldRows)
	}
	list := h.do("GET", "/api/wallet/usage", h.asAlice(), "").want(200)
	if list.number("pagination.total") != charged.Load() {
		t.Errorf("the total is %d, want %d", list.number("pagination.total"), charged.Load())
	}
	t.Logf("%d charges, %d of them during the removal", charged.Load(), chargedDuringRemoval.Load())
}

// A shutdown does not wait for all of a run, and the next start goes on.
func TestAShutdownEndsARun(t *testing.T) {
	h := newHouse(t, "USAGE_RETENTION_DAYS", "35")
	h.oldRows(20_000) // forty steps with their pauses: two seconds
	var run sync.WaitGroup
	run.Go(h.retain)
	for h.count("usage_archives", "TRUE") == 0 {
		time.Sleep(time.Millisecond)
	}
	event := &core.TerminateEvent{App: h.app}
	err := h.app.OnTerminate().Trigger(event, func(*core.TerminateEvent) error {
		if left := h.count("usage_logs", "TRUE"); left == 0 {
			t.Error("the run came to its end before PocketBase closed its files")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	run.Wait()
	if unfinished := h.count("usage_archives", "removed = 0"); unfinished != 1 {
		t.Errorf("%d archives are unfinished, want 1", unfinished)
	}
}

// A backup has the archives, but not the one that is being written.
func TestBackupsHoldTheArchives(t *testing.T) {
	h := newHouse(t, "USAGE_RETENTION_DAYS", "35")
	h.oldRows(3)
	h.retain()
	unfinished := filepath.Join(h.app.DataDir(), archiveFolder, usagearchive.UnfinishedFolder, "usage.jsonl.gz")
	if err := os.WriteFile(unfinished, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.app.CreateBackup(context.Background(), "test.zip"); err != nil {
		t.Fatal(err)
	}
	reader, err := zip.OpenReader(filepath.Join(h.app.DataDir(), core.LocalBackupsDirName, "test.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var archived []string
	for _, file := range reader.File {
		if strings.HasPrefix(file.Name, archiveFolder) {
			archived = append(archived, file.Name)
		}
	}
	if fmt.Sprint(archived) != "[archive/usage-0old00001.jsonl.gz]" {
		t.Errorf("the backup has %v", archived)
	}
}
