package hooks

import (
	"fmt"
	"net/url"
	"testing"
	"time"
	_ "time/tzdata" // the tests do not depend on the machine's zones

	"sokuji/internal/usagesummary"
)

// quarter puts a roll-up of one quarter of an hour into the database.
func (h *house) quarter(userID, start string, tokens int64) {
	h.t.Helper()
	at, err := time.Parse(time.RFC3339, start)
	if err != nil {
		h.t.Fatal(err)
	}
	h.mustExecute(`INSERT INTO usage_quarters (slot, subject_id, subject_type, uses, tokens, input_tokens, output_tokens)
		VALUES ({:slot}, {:id}, 'user', 1, {:tokens}, {:tokens} * 2, {:tokens} * 3)`, "slot", at.Unix()/900, "id", userID, "tokens", tokens)
	day := at.UTC().Format(time.DateOnly)
	h.mustExecute(`INSERT OR IGNORE INTO usage_daily (id, subject_type, subject_id, day, uses) VALUES ({:row}, 'user', {:id}, {:day}, 1)`,
		"row", userID+"-"+day, "id", userID, "day", day)
}

func (h *house) summary(query string) answer {
	h.t.Helper()
	return h.do("GET", "/api/wallet/usage/summary?"+query, h.asAlice(), "").want(200)
}

// shown is a bucket in one line: its local start, and what was used where
// something was.
func (a answer) shown(at int) string {
	a.t.Helper()
	path := fmt.Sprintf("buckets.%d.", at)
	return a.text(path+"local") + " " + fmt.Sprint(a.number(path+"uses"), a.number(path+"tokens"), a.number(path+"inputTokens"), a.number(path+"outputTokens"))
}

func TestUsageByDayOfATimeZone(t *testing.T) {
	h := newHouse(t)
	for start, tokens := range map[string]int64{
		"2026-10-24T21:45:00Z": 1,      // the 24th in Berlin
		"2026-10-24T22:00:00Z": 10,     // the 25th, which has 25 hours
		"2026-10-25T22:45:00Z": 100,    // its last quarter
		"2026-10-25T23:00:00Z": 1000,   // the 26th
		"2026-10-27T23:00:00Z": 100000, // the 28th, outside
	} {
		h.quarter(h.alice.Id, start, tokens)
	}
	h.quarter(h.bob.Id, "2026-10-24T22:00:00Z", 7)
	got := h.summary("bucket=day&tz=Europe/Berlin&from=2026-10-24&to=2026-10-28")
	want := []string{
		"2026-10-24T00:00:00+02:00 1 1 2 3", "2026-10-25T00:00:00+02:00 2 110 220 330",
		"2026-10-26T00:00:00+01:00 1 1000 2000 3000", "2026-10-27T00:00:00+01:00 0 0 0 0",
	}
	if got.length("buckets") != len(want) {
		t.Fatalf("%d buckets: %s", got.length("buckets"), got.body)
	}
	for i, line := range want {
		if got.shown(i) != line {
			t.Errorf("bucket %d is %q, want %q", i, got.shown(i), line)
		}
	}
	for path, text := range map[string]string{
		"bucket": "day", "tz": "Europe/Berlin", "from": "2026-10-23T22:00:00.000Z", "to": "2026-10-27T23:00:00.000Z",
		"buckets.2.start": "2026-10-25T23:00:00.000Z",
	} {
		if got.text(path) != text {
			t.Errorf("%s is %q, want %q", path, got.text(path), text)
		}
	}
	if total := fmt.Sprint(got.number("total.uses"), got.number("total.tokens"), got.number("total.inputTokens"), got.number("total.outputTokens")); total != "4 1111 2222 3333" {
		t.Errorf("the total is %s", total)
	}
}

func TestUsageByHour(t *testing.T) {
	h := newHouse(t)
	h.quarter(h.alice.Id, "2026-11-24T08:15:00Z", 1) // 14:00 in Kathmandu
	h.quarter(h.alice.Id, "2026-11-24T09:00:00Z", 2) // 14:45
	h.quarter(h.alice.Id, "2026-11-24T09:15:00Z", 4) // 15:00
	got := h.summary("bucket=hour&tz=Asia/Kathmandu&from=" + url.QueryEscape("2026-11-24T14:20:00+05:45") + "&to=2026-11-24T09:16:00Z")
	if got.length("buckets") != 2 || got.shown(0) != "2026-11-24T14:00:00+05:45 2 3 6 9" || got.shown(1) != "2026-11-24T15:00:00+05:45 1 4 8 12" {
		t.Errorf("got %s", got.body)
	}
}

// What a client charged a moment ago is in its chart, by default up to now.
func TestUsageOfThisMomentIsInTheSummary(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	h.use(h.alice, 7)
	h.use(h.alice, 5)
	for query, buckets := range map[string]int{
		"": usagesummary.DefaultDays, "bucket=day": usagesummary.DefaultDays, "bucket=hour": usagesummary.DefaultHours,
		"tz=Asia/Kathmandu": usagesummary.DefaultDays, "bucket=hour&tz=America/St_Johns": usagesummary.DefaultHours,
	} {
		got := h.summary(query)
		if got.length("buckets") != buckets || got.number("total.uses") != 2 || got.number("total.tokens") != 12 {
			t.Errorf("%q: %d buckets, %s", query, got.length("buckets"), got.value("total"))
		}
	}
}

func TestBadSummariesAreRefused(t *testing.T) {
	h := newHouse(t)
	for query, field := range map[string]string{
		"bucket=week": "bucket", "bucket=": "bucket", "bucket=Day": "bucket",
		"tz=Local": "tz", "tz=Mars/Olympus": "tz", "tz=%2B01:00": "tz", "tz=../../../etc/passwd": "tz",
		"from=yesterday": "from", "from=2026-02-30": "from", "from=2026-11-24T08:00": "from", "from=2026-11-24T08:00:00+01:00": "from", // + is a space
		"to=1700000000": "to", "to=2026-13-01": "to",
		"from=2026-11-02&to=2026-11-01": "from", "from=2026-11-02&to=2026-11-02": "from", "from=2990-01-01": "from",
		"from=0001-01-01&to=2026-11-01": "from", "from=2026-11-01&to=9999-12-31": "to",
		"from=2024-01-01&to=2025-01-02": "from", "bucket=hour&from=2026-01-01&to=2026-02-02": "from",
	} {
		h.do("GET", "/api/wallet/usage/summary?"+query, h.asAlice(), "").wantOutcome("400 invalid_request").names(`"field":"` + field + `"`)
	}
	h.do("GET", "/api/wallet/usage/summary?userId=nobody0000000000", h.asRoot(), "").wantOutcome("404 wallet_not_found")
	h.do("GET", "/api/wallet/usage/summary", h.asRoot(), "").wantOutcome("400 invalid_request").names("userId")
}

// The charts have their own roll-ups: neither the ledger nor the usage rows count.
func TestTheSummaryReadsRollUpsOnly(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	h.use(h.alice, 7)
	h.mustExecute("DELETE FROM usage_logs")
	if got := h.summary(""); got.number("total.tokens") != 7 {
		t.Errorf("without usage rows: %s", got.value("total"))
	}
	h.mustExecute("DELETE FROM usage_quarters")
	if got := h.summary(""); got.number("total.tokens") != 0 {
		t.Errorf("without roll-ups: %s", got.value("total"))
	}
}
