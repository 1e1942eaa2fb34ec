package hooks

import (
	"encoding/csv"
	"strings"
	"testing"
)

func (h *house) csv(path string, as credential) [][]string {
	h.t.Helper()
	got := h.do("GET", path, as, "", "Accept", "text/csv").want(200)
	if kind := got.header.Get("Content-Type"); kind != "text/csv; charset=utf-8" {
		h.t.Fatalf("%s is %s", path, kind)
	}
	rows, err := csv.NewReader(strings.NewReader(string(got.body))).ReadAll()
	if err != nil {
		h.t.Fatal(err)
	}
	return rows
}

// A CSV has all rows in the order of the JSON, over as many steps as it takes.
func TestListsAsCSV(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	const uses = csvStepRows + 3
	for range uses {
		h.use(h.alice, 1)
	}
	h.mint(h.bob, 7)
	entries := h.csv("/api/wallet/ledger?limit=2", h.asAlice())
	if len(entries) != uses+2 || strings.Join(entries[0], ",") != strings.Join(entryColumns, ",") {
		t.Fatalf("%d rows under %v", len(entries), entries[0])
	}
	for i, row := range entries[1:] {
		if row[1] != decimal(int64(uses+1-i)) || row[3] != h.alice.Id {
			t.Fatalf("row %d is %v", i, row)
		}
	}
	if last := entries[len(entries)-1]; last[4] != "1000" || last[6] != "mint" {
		t.Fatalf("the first entry is %v", last)
	}
	usage := h.csv("/api/wallet/usage", h.asAlice())
	if len(usage) != uses+1 || strings.Join(usage[0], ",") != strings.Join(usageColumns, ",") || len(usage[1]) != len(usageColumns) {
		t.Fatalf("%d rows under %v", len(usage), usage[0])
	}
	if filtered := h.csv("/api/wallet/ledger?eventType=mint", h.asAlice()); len(filtered) != 2 {
		t.Fatalf("%d rows with a filter", len(filtered))
	}
}

func TestACSVIsNoSpreadsheetFormula(t *testing.T) {
	h := newHouse(t)
	for _, words := range []string{"=1+1", "+1", "-1", "@x", "\t=1", "plain", "with \"quotes\", and\nlines"} {
		h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", 1, "description", words)).want(200)
		row := h.csv("/api/wallet/ledger", h.asAlice())[1]
		want := words
		if strings.ContainsAny(words[:1], "=+-@\t") {
			want = "'" + words
		}
		if row[11] != want {
			t.Errorf("%q came as %q", words, row[11])
		}
	}
}

func TestACSVIsRefusedLikeJSON(t *testing.T) {
	h := newHouse(t)
	h.do("GET", "/api/wallet/ledger", nobody, "", "Accept", "text/csv").wantOutcome("401 unauthorized")
	h.do("GET", "/api/wallet/ledger?userId="+h.bob.Id, h.asAlice(), "", "Accept", "text/csv").wantOutcome("403 forbidden")
	h.do("GET", "/api/wallet/usage?from=never", h.asAlice(), "", "Accept", "text/csv").wantOutcome("400 invalid_request")
	for accept, isCSV := range map[string]bool{
		"text/csv": true, "text/csv;q=0.9, */*": true, "application/json, text/csv;q=0.9": false, "*/*": false, "text/csvx": false, "application/json": false, ";;": false,
	} {
		got := h.do("GET", "/api/wallet/ledger", h.asAlice(), "", "Accept", accept).want(200)
		if strings.HasPrefix(got.header.Get("Content-Type"), "text/csv") != isCSV {
			t.Errorf("%s got %s", accept, got.header.Get("Content-Type"))
		}
	}
}
