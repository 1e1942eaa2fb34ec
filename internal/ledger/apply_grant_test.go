package ledger_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"sokuji/internal/ledger"
)

// grantOf has some tokens left of 100, and hours to live from noon on.
func grantOf(id string, remaining int64, hours int) ledger.Grant {
	return ledger.Grant{
		ID: id, Subject: alice, Amount: 100, Remaining: remaining, State: ledger.GrantLive,
		ExpiresAt: noon.Add(time.Duration(hours) * time.Hour), CreatedAt: noon.Add(-24 * time.Hour),
	}
}

// granted is a wallet with tokens without an expiry and with grants.
func granted(undated int64, grants ...ledger.Grant) (ledger.Wallet, ledger.Facts) {
	w, f := wallet(undated, 0), facts()
	for _, grant := range grants {
		w.Balance += grant.Remaining
		w.Expiring += grant.Remaining
	}
	f.Grants = grants
	return w, f
}

// movesOf sums what an outcome moved, by grant, and checks it against the grants.
func movesOf(t *testing.T, before ledger.Facts, outcome ledger.Outcome) map[string]int64 {
	t.Helper()
	moves := map[string]int64{}
	for _, move := range outcome.Moves {
		if move.LedgerID != "entry4" {
			t.Fatalf("a move names entry %q", move.LedgerID)
		}
		moves[move.GrantID] += move.Tokens
	}
	for _, grant := range before.Grants {
		last := grant
		for _, changed := range outcome.Grants {
			if changed.ID == grant.ID {
				last = changed
			}
		}
		if last.Remaining-grant.Remaining != moves[grant.ID] {
			t.Fatalf("grant %s went from %d to %d and moved %d", grant.ID, grant.Remaining, last.Remaining, moves[grant.ID])
		}
	}
	return moves
}

func TestDebitsTakeFromGrants(t *testing.T) {
	over := grantOf("over", 10, -1) // lives on for a hold
	soon, later := grantOf("soon", 10, 1), grantOf("later", 10, 2)
	use := func(amount int64) ledger.Use {
		return ledger.Use{Request: request, Amount: amount, AllowNegative: true}
	}
	settle := func(amount int64) ledger.Settle {
		return ledger.Settle{Request: request, HoldID: "hold1", Amount: amount}
	}
	refund := func(amount int64) ledger.Refund {
		return ledger.Refund{Request: request, EntryID: "later", Amount: amount}
	}
	type moves = map[string]int64
	for _, test := range []struct {
		name    string
		undated int64
		grants  []ledger.Grant
		op      ledger.Operation
		want    moves
	}{
		{"the soonest first", 5, []ledger.Grant{later, soon}, use(4), moves{"soon": -4}},
		{"then the next", 5, []ledger.Grant{later, soon}, use(14), moves{"soon": -10, "later": -4}},
		{"then undated tokens", 5, []ledger.Grant{later, soon}, use(22), moves{"soon": -10, "later": -10}},
		{"beyond everything", 5, []ledger.Grant{later, soon}, use(40), moves{"soon": -10, "later": -10}},
		{"equal expiries in the order of ids", 0, []ledger.Grant{grantOf("b", 5, 1), grantOf("a", 5, 1)}, use(6), moves{"a": -5, "b": -1}},
		{"a use takes kept tokens last", 5, []ledger.Grant{over, soon}, use(15), moves{"soon": -10}},
		{"but before it goes into debt", 5, []ledger.Grant{over, soon}, use(17), moves{"soon": -10, "over": -2}},
		{"a settlement takes kept tokens first", 5, []ledger.Grant{over, soon}, settle(12), moves{"over": -10, "soon": -2}},
		{"an adjustment as a use", 5, []ledger.Grant{over, soon}, ledger.Adjust{Request: request, Amount: -12, Description: "why"}, moves{"soon": -10}},
		{"reversing a mint takes its own grant first", 5, []ledger.Grant{soon, later}, refund(8), moves{"later": -8}},
		{"then undated tokens, of mints too", 5, []ledger.Grant{soon, later}, refund(15), moves{"later": -10}},
		{"then other grants", 5, []ledger.Grant{soon, later}, refund(17), moves{"later": -10, "soon": -2}},
		{"then kept ones", 5, []ledger.Grant{over, soon, later}, refund(27), moves{"later": -10, "soon": -10, "over": -2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, f := granted(test.undated, test.grants...)
			f.Hold = holdAt(ledger.HoldExpired, 0)
			f.Original = &ledger.Entry{ID: "later", Subject: alice, EventType: ledger.EventMint, Amount: 100}
			outcome, err := ledger.Apply(w, test.op, f)
			if err != nil {
				t.Fatal(err)
			}
			if got := movesOf(t, f, outcome); !maps.Equal(got, test.want) {
				t.Fatalf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestAMintWithAnExpiry(t *testing.T) {
	expiry := noon.Add(time.Hour)
	for _, test := range []struct {
		name                      string
		balance, amount, expiring int64
	}{
		{"into an empty wallet", 0, 10, 10},
		{"beside undated tokens", 5, 10, 10},
		{"pays a debt first", -4, 10, 6},
		{"pays a debt just so", -10, 10, 0},
		{"pays a part of a debt", -11, 10, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			mint := ledger.Mint{Request: request, Amount: test.amount, ExpiresAt: expiry, Metadata: json.RawMessage(`{"b":1}`)}
			outcome, err := ledger.Apply(wallet(test.balance, 0), mint, facts())
			if err != nil {
				t.Fatal(err)
			}
			if outcome.Wallet.Expiring != test.expiring || outcome.Wallet.Balance != test.balance+test.amount {
				t.Fatalf("the wallet is %+v", outcome.Wallet)
			}
			if len(outcome.Grants) != 1 {
				t.Fatalf("grants: %+v", outcome.Grants)
			}
			grant := outcome.Grants[0]
			if grant.ID != "entry4" || grant.Amount != test.amount || grant.Remaining != test.expiring || !grant.ExpiresAt.Equal(expiry) ||
				grant.State != ledger.GrantLive || grant.Subject != alice || !grant.CreatedAt.Equal(noon) {
				t.Fatalf("the grant is %+v", grant)
			}
			if got := string(outcome.Entry.Metadata); got != `{"b":1,"expiresAt":"2026-11-24T13:00:00.000Z"}` {
				t.Fatalf("the chain covers %s", got)
			}
		})
	}
}

func TestAnExpiryThatCannotBe(t *testing.T) {
	crowd := make([]ledger.Grant, 0, ledger.MaxLiveGrants)
	for i := range ledger.MaxLiveGrants {
		crowd = append(crowd, grantOf(string(rune('a'+i)), 1, 1))
	}
	for _, test := range []struct {
		name     string
		expiry   time.Time
		metadata string
		grants   []ledger.Grant
		field    string // empty: it can be
	}{
		{name: "in a millisecond", expiry: noon.Add(time.Millisecond)},
		{name: "now", expiry: noon, field: "expiresAt"},
		{name: "in the past", expiry: noon.Add(-time.Hour), field: "expiresAt"},
		{name: "between two milliseconds", expiry: noon.Add(time.Hour + 1), field: "expiresAt"},
		{name: "in the last year", expiry: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)},
		{name: "after the last year", expiry: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), field: "expiresAt"},
		{name: "with metadata that is a list", expiry: noon.Add(time.Hour), metadata: `[1]`, field: "metadata"},
		{name: "with metadata that is null", expiry: noon.Add(time.Hour), metadata: `null`, field: "metadata"},
		{name: "with an expiry of its own in the metadata", expiry: noon.Add(time.Hour), metadata: `{"expiresAt":"never"}`, field: "metadata"},
		{name: "beside one grant less than the most", expiry: noon.Add(time.Hour), grants: crowd[1:]},
		{name: "beside the most grants", expiry: noon.Add(time.Hour), grants: crowd, field: "expiresAt"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, f := granted(0, test.grants...)
			_, err := ledger.Apply(w, ledger.Mint{Request: request, Amount: 1, ExpiresAt: test.expiry, Metadata: json.RawMessage(test.metadata)}, f)
			if test.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if ledger.CodeOf(err) != ledger.CodeInvalidRequest || field(err) != test.field {
				t.Fatalf("got %v of field %q, want field %q", err, field(err), test.field)
			}
		})
	}
}

func TestRefundingAUseRestoresLiveGrants(t *testing.T) {
	over, soon, later := grantOf("over", 0, 0), grantOf("soon", 0, 1), grantOf("later", 0, 2)
	reversed, expired := grantOf("reversed", 0, 1), grantOf("expired", 0, 1)
	expired.Expired = 99 // as a clock that was set back leaves it
	for _, test := range []struct {
		name    string
		balance int64
		taken   map[string]int64
		amount  int64
		want    map[string]int64
	}{
		{"the soonest first", 0, map[string]int64{"soon": 5, "later": 5}, 3, map[string]int64{"soon": 3}},
		{"what is left of a mint that was reversed", 0, map[string]int64{"reversed": 9, "later": 5}, 9, map[string]int64{"reversed": 2, "later": 5}},
		{"nothing of what expired", 0, map[string]int64{"expired": 9}, 9, map[string]int64{"expired": 1}},
		{"never more than taken", 0, map[string]int64{"soon": 5, "later": 5}, 7, map[string]int64{"soon": 5, "later": 2}},
		{"the rest without an expiry", 0, map[string]int64{"soon": 5, "later": 1}, 9, map[string]int64{"soon": 5, "later": 1}},
		{"nothing to one that is over", 0, map[string]int64{"over": 5, "later": 5}, 7, map[string]int64{"later": 5}},
		{"a debt first", -4, map[string]int64{"soon": 10}, 7, map[string]int64{"soon": 3}},
		{"a debt only", -7, map[string]int64{"soon": 10}, 7, map[string]int64{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := refundFacts(ledger.EventUse, -10, 0)
			f.Taken = test.taken
			f.Reversed = map[string]int64{"reversed": 98}
			f.TakenFrom = []ledger.Grant{later, over, soon, reversed, expired}
			f.Grants = []ledger.Grant{over, soon, later, reversed, expired}
			outcome, err := ledger.Apply(wallet(test.balance, 0), ledger.Refund{Request: request, EntryID: "entry1", Amount: test.amount}, f)
			if err != nil {
				t.Fatal(err)
			}
			if got := movesOf(t, f, outcome); !maps.Equal(got, test.want) {
				t.Fatalf("got %v, want %v", got, test.want)
			}
			var restored int64
			for tokens := range maps.Values(test.want) {
				restored += tokens
			}
			if outcome.Wallet.Expiring != restored || outcome.Wallet.Balance != test.balance+test.amount {
				t.Fatalf("the wallet is %+v", outcome.Wallet)
			}
		})
	}
}

// Every rule must leave what it was given as it was: the writer may use it again.
func TestRulesDoNotTouchTheirFacts(t *testing.T) {
	w, f := granted(5, grantOf("later", 10, 2), grantOf("soon", 10, 1))
	before := slices.Clone(f.Grants)
	if _, err := ledger.Apply(w, ledger.Use{Request: request, Amount: 15}, f); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, f.Grants) {
		t.Fatalf("got %+v, was %+v", f.Grants, before)
	}
}
