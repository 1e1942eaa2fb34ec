package sqlitestore_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/sqlitestore"
	"sokuji/internal/usagearchive"
)

// archive commits a manifest of rows before a cutoff and lets the store learn of
// it, as a run does.
func (f fixture) archive(t *testing.T, file string, cutoff time.Time) {
	t.Helper()
	ctx := context.Background()
	archive := usagearchive.Archive{File: file, FirstID: "a", LastID: "b", Rows: 1, Cutoff: cutoff, SHA256: "x", CreatedAt: cutoff}
	if err := f.store.AddArchive(ctx, archive); err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.UnfinishedArchives(ctx); err != nil {
		t.Fatal(err)
	}
}

// list returns a wallet's uses, and what their list says of its length.
func (f fixture) list(t *testing.T, subject ledger.Subject) (ids []string, total int64) {
	t.Helper()
	page, err := f.store.Usage(context.Background(), ledger.UsageQuery{Subject: subject, Limit: ledger.MaxPageRows})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range page.Rows {
		ids = append(ids, row.ID)
	}
	return ids, page.Total
}

// At every moment of a run the total is what the list can show.
func TestTheTotalFollowsTheArchives(t *testing.T) {
	f, alice := filled(t) // twenty uses from 9:00 on; ten lie on the second day
	cutoff := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	check := func(when string, want int64) {
		t.Helper()
		ids, total := f.list(t, alice)
		if total != want || int64(len(ids)) != want {
			t.Errorf("%s: total %d, %d rows, want %d", when, total, len(ids), want)
		}
	}
	check("before", 20)
	f.archive(t, "usage-1.jsonl.gz", cutoff)
	check("nothing is removed yet", 20)
	ids, _ := f.list(t, alice)
	remove := func(ids []string) {
		if err := f.store.RemoveUsage(context.Background(), ids); err != nil {
			t.Fatal(err)
		}
	}
	remove(ids[17:])
	check("three are removed", 17)
	remove(ids[10:])
	check("all are removed", 10)
	remove(ids[10:])
	check("once more", 10)
	f.archive(t, "usage-2.jsonl.gz", cutoff.AddDate(0, 0, -1))
	check("an earlier cutoff changes nothing", 10)
	f.archive(t, "usage-3.jsonl.gz", cutoff.AddDate(0, 0, 1))
	remove(ids)
	check("a later one does", 0)
	if used, err := f.store.UsedTokens(context.Background(), alice, ""); err != nil || used != 20 {
		t.Errorf("the roll-ups count %d tokens (%v), want 20", used, err)
	}
}

// A store that is opened later knows what was archived.
func TestTheCutoffIsReadAtTheStart(t *testing.T) {
	f, alice := filled(t)
	f.archive(t, "usage-1.jsonl.gz", time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC))
	ids, _ := f.list(t, alice)
	if err := f.store.RemoveUsage(context.Background(), ids[10:]); err != nil {
		t.Fatal(err)
	}
	store, err := sqlitestore.Open(f.writer, f.writer)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, total := (fixture{store: store}).list(t, alice); total != 10 {
		t.Errorf("total %d, want 10", total)
	}
}

// The count of the few old rows, and each removal, must not walk through the table.
func TestArchivingUsesIndexes(t *testing.T) {
	f := open(t)
	for name, test := range map[string]struct{ query, want string }{
		"old rows of a wallet": {"SELECT COUNT(*) FROM usage_logs WHERE subject_id = 'a' AND subject_type = 'user' AND created_at < 'b'",
			"SEARCH usage_logs USING INDEX idx_usage_logs_subject (subject_id=? AND created_at<?)"},
		"removal":        {sqlitestore.RemoveUsage, "INDEX sqlite_autoindex_usage_logs_1 (id=?)"},
		"a page of rows": {sqlitestore.SelectOldUsage, "SEARCH usage_logs USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
	} {
		arguments := make([]any, strings.Count(test.query, "?"))
		if plan := f.plan(t, test.query, arguments...); !strings.Contains(plan, test.want) || strings.Contains(plan, "SCAN usage_logs") {
			t.Errorf("%s: no %q in\n%s", name, test.want, plan)
		}
	}
}
