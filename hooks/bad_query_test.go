package hooks

import (
	"fmt"
	"net/url"
	"testing"
)

// TestBadListQueriesAreRefused tries every parameter of the two lists.
func TestBadListQueriesAreRefused(t *testing.T) {
	h := newHouse(t)
	for range 3 {
		h.mint(h.alice, 100)
		h.use(h.alice, 1)
	}
	cursors := make(map[string]string)
	for _, list := range []string{"ledger", "usage"} {
		cursors[list] = h.do("GET", "/api/wallet/"+list+"?limit=1", h.asAlice(), "").want(200).text("pagination.nextCursor")
	}
	before := h.snapshot()
	for list, other := range map[string]string{"ledger": cursors["usage"], "usage": cursors["ledger"]} {
		for _, c := range []struct{ field, value string }{
			{"limit", "0"}, {"limit", "501"}, {"limit", "1e9"}, {"limit", "abc"}, {"limit", "-1"}, {"limit", ""},
			{"limit", "1.5"}, {"limit", "99999999999999999999"},
			{"offset", "-1"}, {"offset", "1000000000000"}, {"offset", "x"}, {"offset", "0.5"},
			{"cursor", other}, {"cursor", "random"}, {"cursor", "!"}, {"cursor", cursors[list] + "="},
			{"cursor", cursors[list][:2]}, {"cursor", encodeCursor("e9.0")}, {"cursor", encodeCursor("e9.-1")},
			{"cursor", encodeCursor("e-9.1")}, {"cursor", encodeCursor("e1")}, {"cursor", encodeCursor("e9.")},
			{"cursor", encodeCursor("u9.123")}, {"cursor", encodeCursor("u9..x")}, {"cursor", encodeCursor("u123.x")}, {"cursor", encodeCursor("")[:0] + "ZQ"},
			{"from", "yesterday"}, {"from", "2026-13-01"}, {"from", "1"}, {"from", "2026-11-24 08:00:00"},
			{"to", "never"}, {"to", "2026-02-30"}, {"to", "20261124"},
		} {
			path := fmt.Sprintf("/api/wallet/%s?%s=%s", list, c.field, url.QueryEscape(c.value))
			h.do("GET", path, h.asAlice(), "").wantOutcome("400 invalid_request").names(c.field)
		}
		h.do("GET", "/api/wallet/"+list+"?offset=0&cursor="+cursors[list], h.asAlice(), "").wantOutcome("400 invalid_request").names("offset")
	}
	h.do("GET", "/api/wallet/ledger?eventType=theft", h.asAlice(), "").wantOutcome("400 invalid_request").names("eventType")
	h.unchanged(before)
}

// Pages by cursor and by offset show every row once, newest first.
func TestPagesShowEveryRowOnce(t *testing.T) {
	h := newHouse(t)
	for range 4 {
		h.mint(h.alice, 100)
		h.use(h.alice, 1)
		h.mint(h.bob, 100)
	}
	for list, total := range map[string]int{"ledger": 8, "usage": 4} {
		whole := h.ids(list, "limit=500")
		if len(whole) != total {
			t.Fatalf("%s has %d rows, want %d", list, len(whole), total)
		}
		var byCursor, byOffset []string
		query := "limit=3"
		for query != "" {
			page := h.do("GET", "/api/wallet/"+list+"?"+query, h.asAlice(), "").want(200)
			byCursor = append(byCursor, idsOf(page, list)...)
			if len(byCursor) > total {
				t.Fatalf("%s: paging does not end", list)
			}
			next := page.text("pagination.nextCursor")
			if more := page.value("pagination.hasMore") == true; more != (next != "") {
				t.Errorf("%s: hasMore is %v and the cursor %q", list, more, next)
			}
			if got := page.number("pagination.total"); got != int64(total) {
				t.Errorf("%s: total is %d, want %d", list, got, total)
			}
			query = ""
			if next != "" {
				query = "limit=3&cursor=" + next
			}
		}
		for offset := 0; offset < total; offset += 3 {
			byOffset = append(byOffset, h.ids(list, fmt.Sprintf("limit=3&offset=%d", offset))...)
		}
		if fmt.Sprint(byCursor) != fmt.Sprint(whole) || fmt.Sprint(byOffset) != fmt.Sprint(whole) {
			t.Errorf("%s: by cursor %v, by offset %v, want %v", list, byCursor, byOffset, whole)
		}
	}
}

// A page by cursor counts nothing: it says what the first page did.
func TestACursorBringsItsTotalAlong(t *testing.T) {
	h := newHouse(t)
	row := map[string]func(){
		"ledger": func() { h.mint(h.alice, 100) },
		"usage":  func() { h.use(h.alice, 1) },
		"holds": func() {
			h.do("POST", "/api/wallet/holds", h.asRoot(), object("userId", h.alice.Id, "amount", 1)).want(201)
		},
	}
	h.mint(h.alice, 100)
	for list, filter := range map[string]string{"ledger": "eventType=mint&from=2020-01-01", "usage": "from=2020-01-01", "holds": "state=open"} {
		path := "/api/wallet/" + list + "?limit=1&userId=" + h.alice.Id + "&" + filter
		for range 3 {
			row[list]()
		}
		first := h.do("GET", path, h.asRoot(), "").want(200)
		total := first.number("pagination.total")
		if total < 3 {
			t.Errorf("%s: total is %d", list, total)
		}
		row[list]()
		second := h.do("GET", path+"&cursor="+first.text("pagination.nextCursor"), h.asRoot(), "").want(200)
		if got := second.number("pagination.total"); got != total || second.length(list) != 1 {
			t.Errorf("%s: the second page says %d, the first said %d", list, got, total)
		}
	}
}

func (h *house) ids(list, query string) []string {
	h.t.Helper()
	return idsOf(h.do("GET", "/api/wallet/"+list+"?"+query, h.asAlice(), "").want(200), list)
}

func idsOf(page answer, list string) []string {
	var ids []string
	for i := range page.length(list) {
		ids = append(ids, page.text(fmt.Sprintf("%s.%d.id", list, i)))
	}
	return ids
}

func TestListsFilter(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	h.use(h.alice, 1)
	h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", h.alice.Id, "provider", "openai", "model", "whisper-1", "durationSeconds", 10)).want(200)
	h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", h.alice.Id, "amount", 1, "eventType", "response.done")).want(200)
	for query, want := range map[string]int{
		"ledger?eventType=mint": 1, "ledger?eventType=use": 3, "ledger?eventType=refund": 0,
		"ledger?from=2020-01-01": 4, "ledger?to=2020-01-01": 0, "ledger?to=0001-01-01": 0, "ledger?to=0001-01-01T00:00:00Z": 0, "ledger?from=2020-01-01T00:00:00Z&to=2100-01-01": 4,
		"usage?model=whisper-1": 1, "usage?model=whisper": 0, "usage?eventType=response.done": 1,
		"usage?to=2020-01-01": 0, "usage?to=0001-01-01": 0, "usage?from=0001-01-01": 3, "usage?from=2020-01-01": 3,
	} {
		list := query[:len("usage")]
		if list != "usage" {
			list = "ledger"
		}
		page := h.do("GET", "/api/wallet/"+query, h.asAlice(), "").want(200)
		if page.length(list) != want || page.number("pagination.total") != int64(want) {
			t.Errorf("%s: %d rows of %d, want %d", query, page.length(list), page.number("pagination.total"), want)
		}
	}
}
