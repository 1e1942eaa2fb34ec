package hooks

import (
	"bytes"
	"net/http"
	"net/url"
	"testing"
	"time"

	"sokuji/internal/ledger/statement"
)

// A statement is proved by the package that also proves those of the command line.
func TestAStatementProvesItself(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	for i := range 600 { // more than one step
		if i == 300 {
			time.Sleep(5 * time.Millisecond)
		}
		h.use(h.alice, 1)
	}
	middle := h.do("GET", "/api/wallet/ledger?limit=1&offset=300", h.asAlice(), "").want(200).text("ledger.0.createdAt")
	for name, c := range map[string]struct {
		query string
		least int64
	}{
		"everything":         {"", 601},
		"from the middle on": {"from=" + url.QueryEscape(middle), 300},
		"up to the middle":   {"to=" + url.QueryEscape(middle), 250},
		"nothing":            {"from=2099-01-01", 0},
		"to the zero time":   {"to=0001-01-01", 0},
		"before everything":  {"to=2001-01-01", 0},
	} {
		for _, accept := range []string{"application/json", "text/csv"} {
			t.Run(name+" as "+accept, func(t *testing.T) {
				h := h.in(t)
				got := h.do("GET", "/api/wallet/statement?"+c.query, h.asAlice(), "", "Accept", accept).want(200)
				report, err := statement.Verify(bytes.NewReader(got.body))
				if err != nil {
					t.Fatalf("%v\n%s", err, got.body)
				}
				if report.Entries < c.least || report.Entries > 601 || (c.least == 0 && report.Entries != 0) {
					t.Errorf("%d entries, want at least %d", report.Entries, c.least)
				}
			})
		}
	}
	h.do("GET", "/api/wallet/statement?from=2026-02-01&to=2026-01-01", h.asAlice(), "").wantOutcome("400 invalid_request").names("to")
	h.do("GET", "/api/wallet/statement?from=yesterday", h.asAlice(), "").wantOutcome("400 invalid_request").names("from")
}

// A chain that does not hold ends the connection, so that nobody takes the part
// for the whole.
func TestABrokenStatementDoesNotLookWhole(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	h.use(h.alice, 1)
	h.mustExecute("DROP TRIGGER wallet_ledger_no_update")
	h.mustExecute("UPDATE wallet_ledger SET amount_tokens = 5 WHERE seq = 2")
	response, err := h.srv.Client().Do(h.request("GET", "/api/wallet/statement", h.asAlice(), ""))
	if err == nil {
		defer response.Body.Close()
		_, err = new(bytes.Buffer).ReadFrom(response.Body)
		if err == nil && response.StatusCode == http.StatusOK {
			t.Error("the statement looks whole")
		}
	}
}
