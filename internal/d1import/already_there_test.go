package d1import_test

import (
	"fmt"
	"strings"
	"testing"

	"sokuji/internal/d1import"
)

func counts(t *d1import.TableReport) string {
	return fmt.Sprintf("%d imported, %d there, %d skipped", t.Imported, t.AlreadyThere, t.Skipped)
}

// Usage rows that an earlier dump did not have come with a later one.
func TestUsageThatComesWithALaterDump(t *testing.T) {
	use := rowsOf("wallet_ledger", entryRow("e1", "-3", "use"))
	u1, u2 := usageRow("u1", ada, "'e1'"), usageRow("u2", ada, "'e1'")
	h := newHouse(t)
	for round, c := range []struct {
		usage       []string
		want, total string
	}{
		{nil, "0 imported, 0 there, 0 skipped", "1 3 0 0"},
		{[]string{u1}, "1 imported, 0 there, 0 skipped", "1 3 10 20"},
		{[]string{u1, u2, u1}, "1 imported, 1 there, 1 skipped", "1 3 20 40"},
		{[]string{u1, u2}, "0 imported, 2 there, 0 skipped", "1 3 20 40"},
	} {
		report := h.importText(strangeDump(map[string][]string{"wallet_ledger": use, "usage_logs": rowsOf("usage_logs", c.usage...)}))
		if got := counts(report.Table("usage_logs")); got != c.want {
			t.Errorf("round %d: %s, want %s", round, got, c.want)
		}
		for _, table := range []string{"usage_daily", "usage_quarters"} {
			h.want(c.total, `SELECT uses||' '||tokens||' '||input_tokens||' '||output_tokens FROM `+table)
		}
	}
	h.want("3 0", `SELECT group_concat(charged_tokens, ' ') FROM (SELECT charged_tokens FROM usage_logs ORDER BY id)`)
}

// A row is "already there" when it is, not when its id is.
func TestIDsOfOtherRows(t *testing.T) {
	other := func(row string) string { return strings.Replace(row, "'gpt'", "'another'", 1) }
	webhook := func(event, payload string) string {
		return "1,'" + event + "','payment.succeeded',NULL,'" + payload + "',NULL,NULL,'success',NULL,0,NULL,NULL,1795416111,1795416111"
	}
	use := rowsOf("wallet_ledger", entryRow("e1", "-3", "use"))
	for _, test := range []struct {
		name, table   string
		first, second map[string][]string
	}{
		{"a usage row that is paid", "usage_logs",
			map[string][]string{"wallet_ledger": use, "usage_logs": rowsOf("usage_logs", usageRow("u1", ada, "'e1'"))},
			map[string][]string{"wallet_ledger": use, "usage_logs": rowsOf("usage_logs", other(usageRow("u1", ada, "'e1'")))}},
		{"one that is not", "usage_logs",
			map[string][]string{"usage_logs": rowsOf("usage_logs", usageRow("u1", ada, "NULL"))},
			map[string][]string{"usage_logs": rowsOf("usage_logs", other(usageRow("u1", ada, "NULL")))}},
		{"one of a new entry", "usage_logs",
			map[string][]string{"usage_logs": rowsOf("usage_logs", usageRow("u1", ada, "NULL"))},
			map[string][]string{"wallet_ledger": use, "usage_logs": rowsOf("usage_logs", other(usageRow("u1", ada, "'e1'")))}},
		{"a webhook of another event", "webhook_logs",
			map[string][]string{"webhook_logs": rowsOf("webhook_logs", webhook("evt_1", "{}"))},
			map[string][]string{"webhook_logs": rowsOf("webhook_logs", webhook("evt_2", "{}"))}},
		{"a webhook of another content", "webhook_logs",
			map[string][]string{"webhook_logs": rowsOf("webhook_logs", webhook("evt_1", "{}"))},
			map[string][]string{"webhook_logs": rowsOf("webhook_logs", webhook("evt_1", "[]"))}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t)
			h.importText(strangeDump(test.first))
			if got := counts(h.importText(strangeDump(test.first)).Table(test.table)); got != "0 imported, 1 there, 0 skipped" {
				t.Errorf("the same again: %s", got)
			}
			for range 2 {
				got := h.importText(strangeDump(test.second)).Table(test.table)
				if counts(got) != "0 imported, 0 there, 1 skipped" || !names(got, "its id is another row's", "") {
					t.Errorf("got %+v", got)
				}
			}
		})
	}
}

// What went into an archive does not come back beside it.
func TestUsageInArchivesStaysThere(t *testing.T) {
	h := newHouse(t)
	dump := strangeDump(map[string][]string{
		"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "-3", "use")), "usage_logs": rowsOf("usage_logs", usageRow("u1", ada, "'e1'")),
	})
	h.importText(dump)
	h.exec(`INSERT INTO usage_archives (file, first_id, last_id, rows, tokens, cutoff, sha256, created_at) VALUES ('f', 'u1', 'u1', 1, 3, '2026-11-01 00:00:00.000Z', 'x', '2026-11-02 00:00:00.000Z')`)
	h.exec(`DELETE FROM usage_logs`)
	if got := h.importText(dump).Table("usage_logs"); counts(got) != "0 imported, 0 there, 1 skipped" || !names(got, "archives", "u1") {
		t.Errorf("got %+v", got)
	}
	h.want("0", `SELECT COUNT(*) FROM usage_logs`)
}
