package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
	"sokuji/internal/ledger/memorystore"
)

// long is a text of one byte more than references may have.
var long = strings.Repeat("x", ledger.MaxReferenceBytes+1)

func imported(id string, amount int64, event ledger.EventType) ledger.ImportedEntry {
	return ledger.ImportedEntry{Subject: alice, ID: id, At: noon, Amount: amount, EventType: event}
}

func importOne(t *testing.T, store *memorystore.Memory, entry ledger.ImportedEntry) ledger.ImportResult {
	t.Helper()
	results, err := ledger.Import(context.Background(), store, []ledger.ImportedEntry{entry}, false)
	if err != nil || len(results) != 1 {
		t.Fatalf("%v, %v", results, err)
	}
	return results[0]
}

func storeWith(subjects ...ledger.Subject) *memorystore.Memory {
	store := memorystore.NewMemory()
	for _, subject := range subjects {
		store.CreateWallet(subject)
	}
	return store
}

func TestImportedEntriesKeepWhatTheyAre(t *testing.T) {
	store := storeWith(alice)
	at := noon.Add(-time.Hour)
	entry := ledger.ImportedEntry{
		Subject: alice, ID: "4d10bd2fc586c2a3b2aff5faf5a1b349", At: at, Amount: -7, EventType: ledger.EventUse,
		ReferenceType: "usage", ReferenceID: "sess_1", PlanID: "pro", ExternalEventID: "evt_1", Description: "a use", Metadata: json.RawMessage(`{"a":1}`),
	}
	if result := importOne(t, store, entry); result.State != ledger.ImportDone {
		t.Fatalf("%+v", result)
	}
	got := store.Books().Entries[entry.ID]
	if got.Seq != 1 || got.Amount != -7 || got.BalanceAfter != -7 || !got.CreatedAt.Equal(at) || got.EventType != ledger.EventUse ||
		got.ReferenceType != "usage" || got.ReferenceID != "sess_1" || got.PlanID != "pro" || got.ExternalEventID != "evt_1" ||
		got.Description != "a use" || string(got.Metadata) != `{"a":1}` || !got.IsImported() || got.IdempotencyKey != "" || got.ComputeHash() != got.Hash {
		t.Errorf("got %+v", got)
	}
	wallet := store.Books().Wallets[alice]
	if wallet.Balance != -7 || wallet.Frozen || wallet.Head != got.Hash {
		t.Errorf("got %+v", wallet)
	}
}

func TestImportRules(t *testing.T) {
	most := ledger.MaxAmountTokens
	changed := func(change func(*ledger.ImportedEntry)) ledger.ImportedEntry {
		entry := imported("id", 1, ledger.EventMint)
		change(&entry)
		return entry
	}
	for _, test := range []struct {
		name  string
		entry ledger.ImportedEntry
		field string // of the refusal, empty: it is imported
	}{
		{"a mint", imported("id", 5, ledger.EventMint), ""},
		{"a use without a balance", imported("id", -5, ledger.EventUse), ""},
		{"a mint that takes", imported("id", -5, ledger.EventMint), ""},
		{"a use that gives", imported("id", 5, ledger.EventUse), ""},
		{"a refund of nothing known", imported("id", -5, ledger.EventRefund), ""},
		{"an adjustment without a reason", imported("id", -5, ledger.EventAdjust), ""},
		{"nothing", imported("id", 0, ledger.EventMint), ""},
		{"the most", imported("id", most, ledger.EventMint), ""},
		{"the least", imported("id", -most, ledger.EventUse), ""},
		{"above the most", imported("id", most+1, ledger.EventMint), "amount"},
		{"below the least", imported("id", -most-1, ledger.EventMint), "amount"},
		{"the smallest number", imported("id", -1<<63, ledger.EventMint), "amount"},
		{"no id", imported("", 5, ledger.EventMint), "id"},
		{"a long id", imported(long, 5, ledger.EventMint), "id"},
		{"another event", imported("id", 5, "bonus"), "eventType"},
		{"no event", imported("id", 5, ""), "eventType"},
		{"no whole millisecond", changed(func(e *ledger.ImportedEntry) { e.At = noon.Add(time.Microsecond) }), "createdAt"},
		{"the year 10000", changed(func(e *ledger.ImportedEntry) { e.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }), "createdAt"},
		{"a long reference", changed(func(e *ledger.ImportedEntry) { e.ReferenceID = long }), "referenceId"},
		{"a long event id", changed(func(e *ledger.ImportedEntry) { e.ExternalEventID = long }), "externalEventId"},
		{"broken metadata", changed(func(e *ledger.ImportedEntry) { e.Metadata = json.RawMessage(`{`) }), "metadata"},
		{"metadata that a request could not carry", changed(func(e *ledger.ImportedEntry) {
			e.Metadata = json.RawMessage(`"` + strings.Repeat("x", ledger.MaxMetadataBytes) + `"`)
		}), ""},
		{"broken UTF-8", changed(func(e *ledger.ImportedEntry) { e.Description = "\xff" }), "description"},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := storeWith(alice)
			result := importOne(t, store, test.entry)
			refusal, isRefused := errors.AsType[*ledger.Error](result.Err)
			switch {
			case test.field == "" && (result.State != ledger.ImportDone || store.Books().Wallets[alice].Balance != test.entry.Amount):
				t.Errorf("got %+v", result)
			case test.field != "" && (result.State != ledger.ImportRefused || !isRefused || refusal.Field != test.field || len(store.Books().Entries) > 0):
				t.Errorf("got %+v", result)
			}
		})
	}
}

func TestABalanceBeyondTheBoundIsRefused(t *testing.T) {
	store := storeWith(alice)
	for n := range 9 {
		if result := importOne(t, store, imported(fmt.Sprint(n), ledger.MaxAmountTokens, ledger.EventMint)); result.State != ledger.ImportDone {
			t.Fatalf("%+v", result)
		}
	}
	if result := importOne(t, store, imported("more", 1, ledger.EventMint)); result.State != ledger.ImportRefused {
		t.Errorf("got %+v", result)
	}
	if balance := store.Books().Wallets[alice].Balance; balance != ledger.MaxBalanceTokens {
		t.Errorf("the balance is %d", balance)
	}
}

// Twice is once: in one call, in two, and by another entry's external event.
func TestImportIsIdempotent(t *testing.T) {
	store := storeWith(alice, bob)
	mint := imported("a", 5, ledger.EventMint)
	mint.ExternalEventID = "evt"
	sameEvent, ofBob, other, otherEvent := mint, mint, mint, mint
	sameEvent.ID = "b"
	ofBob.Subject = bob
	other.Amount = 6
	otherEvent.EventType = ledger.EventAdjust
	nobody := imported("c", 5, ledger.EventMint)
	nobody.Subject = ledger.UserSubject("nobody")
	entries := []ledger.ImportedEntry{mint, mint, sameEvent, ofBob, other, otherEvent, nobody}
	want := []ledger.ImportState{ledger.ImportDone, ledger.ImportKnown, ledger.ImportEvent, ledger.ImportRefused, ledger.ImportRefused, ledger.ImportRefused, ledger.ImportRefused}
	for round := range 2 {
		results, err := ledger.Import(context.Background(), store, entries, round == 0)
		if err != nil {
			t.Fatal(err)
		}
		for n, result := range results {
			if result.State != want[n] || (result.Err != nil) != (want[n] == ledger.ImportRefused) {
				t.Errorf("round %d, entry %d: got %+v, want %d", round, n, result, want[n])
			}
		}
		want[0] = ledger.ImportKnown
	}
	if books := store.Books(); len(books.Entries) != 1 || books.Wallets[alice].Balance != 5 || books.Wallets[bob].Balance != 0 {
		t.Errorf("got %+v", books.Wallets)
	}
}

// The uses are summed at their own times, whichever the call's is.
func TestImportedUsesAreInTheRollups(t *testing.T) {
	store := storeWith(alice)
	use := func(id string, at time.Time, rows ...ledger.UsageRow) ledger.ImportedEntry {
		entry := imported(id, -10, ledger.EventUse)
		entry.At, entry.Usage = at, rows
		return entry
	}
	row := func(id string, in, out int64) ledger.UsageRow {
		return ledger.UsageRow{ID: id, Subject: bob, LedgerID: "wrong", ChargedTokens: 99, CreatedAt: noon, Usage: ledger.Usage{InputTokens: in, OutputTokens: out}}
	}
	mint := imported("m", 100, ledger.EventMint)
	mint.Usage = []ledger.UsageRow{row("of the mint", 9, 9)}
	results, err := ledger.Import(context.Background(), store, []ledger.ImportedEntry{
		use("a", noon, row("a1", 1, 2), row("a2", 3, 4)), use("b", noon.Add(time.Minute)), use("c", noon.Add(24*time.Hour), row("c1", 5, 6), row("a1", 7, 7)), mint,
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(results[0].Usage, results[1].Usage, results[2].Usage); got != fmt.Sprint([]ledger.UsageState{ledger.UsageDone, ledger.UsageDone}, []ledger.UsageState(nil), []ledger.UsageState{ledger.UsageDone, ledger.UsageTaken}) {
		t.Errorf("usage rows written: %s", got)
	}
	books := store.Books()
	day := noon.Format(time.DateOnly)
	if got := books.Daily[alice.ID+" "+day].UsageTotals; got != (ledger.UsageTotals{Uses: 2, Tokens: 20, InputTokens: 4, OutputTokens: 6}) {
		t.Errorf("the first day: %+v", got)
	}
	if len(books.Daily) != 2 || len(books.Quarters) != 2 {
		t.Errorf("%d days and %d quarters of an hour", len(books.Daily), len(books.Quarters))
	}
	for id, charged := range map[string]int64{"a1": 10, "a2": 0, "c1": 10, "of the mint": 0} {
		if got := books.Usage[id]; got.ChargedTokens != charged || got.Subject != alice || got.LedgerID == "wrong" || got.LedgerID == "" {
			t.Errorf("%s: got %+v, want %d tokens", id, got, charged)
		}
	}
}

func TestImportUsage(t *testing.T) {
	store := storeWith(alice)
	rows := []ledger.UsageRow{{ID: "u", Subject: alice, LedgerID: "gone", ChargedTokens: 5, CreatedAt: noon}, {ID: "u", Subject: alice, CreatedAt: noon}}
	other := rows[0]
	other.Model = "another"
	for round, first := range []ledger.UsageState{ledger.UsageDone, ledger.UsageKnown} {
		states, err := ledger.ImportUsage(context.Background(), store, append(rows, other))
		if want := []ledger.UsageState{first, ledger.UsageKnown, ledger.UsageTaken}; err != nil || !slices.Equal(states, want) {
			t.Errorf("round %d: got %v, %v, want %v", round, states, err, want)
		}
	}
	if got := store.Books().Usage["u"]; got.LedgerID != "" || got.ChargedTokens != 0 {
		t.Errorf("a row that nothing paid for is %+v", got)
	}
}

// Usage rows that come later than their entry are added to it, but those that may be
// in an archive.
func TestImportedUsageThatComesLater(t *testing.T) {
	store := storeWith(alice)
	row := func(id string, tokens int64, at time.Time) ledger.UsageRow {
		return ledger.UsageRow{ID: id, CreatedAt: at, Usage: ledger.Usage{InputTokens: tokens, OutputTokens: tokens}}
	}
	use := imported("a", -10, ledger.EventUse)
	use.UsageSince = noon
	late := []ledger.UsageRow{row("u1", 1, noon), row("u2", 2, noon), row("old", 4, noon.Add(-time.Millisecond))}
	for round, c := range []struct {
		rows   []ledger.UsageRow
		want   []ledger.UsageState
		tokens int64 // in the roll-up
	}{
		{nil, nil, 0},
		{late[:2], []ledger.UsageState{ledger.UsageDone, ledger.UsageDone}, 3},
		{late, []ledger.UsageState{ledger.UsageKnown, ledger.UsageKnown, ledger.UsageArchived}, 3},
		{append([]ledger.UsageRow{row("u3", 5, noon)}, row("u1", 7, noon)), []ledger.UsageState{ledger.UsageDone, ledger.UsageTaken}, 8},
	} {
		use.Usage = c.rows
		if result := importOne(t, store, use); !slices.Equal(result.Usage, c.want) {
			t.Errorf("round %d: got %v, want %v", round, result.Usage, c.want)
		}
		daily := store.Books().Daily[alice.ID+" "+noon.Format(time.DateOnly)].UsageTotals
		if want := (ledger.UsageTotals{Uses: 1, Tokens: 10, InputTokens: c.tokens, OutputTokens: c.tokens}); daily != want {
			t.Errorf("round %d: the roll-up has %+v, want %+v", round, daily, want)
		}
	}
	if books := store.Books(); books.Usage["u1"].ChargedTokens != 10 || books.Usage["u2"].ChargedTokens != 0 || books.Usage["u1"].LedgerID != "a" {
		t.Errorf("got %+v and %+v", books.Usage["u1"], books.Usage["u2"])
	}
}

// A usage row can name any entry; only a use charged something.
func TestUsageOfAMintChargedNothing(t *testing.T) {
	store := storeWith(alice)
	row := func(id string) []ledger.UsageRow { return []ledger.UsageRow{{ID: id, CreatedAt: noon}} }
	mint, use := imported("a", 50, ledger.EventMint), imported("b", -10, ledger.EventUse)
	mint.Usage, use.Usage = row("of mint"), row("of use")
	importOne(t, store, mint)
	importOne(t, store, use)
	later := imported("c", 7, ledger.EventRefund)
	importOne(t, store, later)
	later.Usage = row("of refund")
	importOne(t, store, later)
	usage := store.Books().Usage
	if usage["of mint"].ChargedTokens != 0 || usage["of refund"].ChargedTokens != 0 || usage["of use"].ChargedTokens != 10 {
		t.Errorf("got %+v", usage)
	}
}

func TestImportIsBounded(t *testing.T) {
	if _, err := ledger.Import(context.Background(), storeWith(), make([]ledger.ImportedEntry, ledger.MaxImportRows+1), false); err == nil {
		t.Error("too many entries were taken")
	}
	if _, err := ledger.ImportUsage(context.Background(), storeWith(), make([]ledger.UsageRow, ledger.MaxImportRows+1)); err == nil {
		t.Error("too many usage rows were taken")
	}
}

// A wallet that is in use keeps its promises: expiring tokens are drawn from, and
// an import lifts no freeze and makes none.
func TestImportIntoALivingWallet(t *testing.T) {
	store, clock := storeWith(alice, bob), ledgertest.NewClock()
	l := ledger.Open(store, ledger.Options{Now: clock.Now, Random: rand.NewChaCha8([32]byte{}), SweepInterval: -1})
	ctx := context.Background()
	if _, err := l.Do(ctx, ledger.Mint{Request: request, Amount: 10, ExpiresAt: clock.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Do(ctx, ledger.Freeze{Request: request, Reason: ledger.FrozenImported}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	results, err := ledger.Import(ctx, store, []ledger.ImportedEntry{
		imported("a", -4, ledger.EventUse), imported("b", -3, ledger.EventUse), imported("c", -9, ledger.EventUse), imported("d", 50, ledger.EventMint),
	}, false)
	if err != nil || results[3].State != ledger.ImportDone {
		t.Fatal(results, err)
	}
	wallet := store.Books().Wallets[alice]
	if wallet.Balance != 44 || wallet.Expiring != 0 || !wallet.Frozen || wallet.FrozenReason != ledger.FrozenImported {
		t.Errorf("got %+v", wallet)
	}
	l = ledger.Open(store, ledger.Options{Now: clock.Now, Random: rand.NewChaCha8([32]byte{1}), SweepInterval: -1})
	defer l.Close()
	// A mint lifts no freeze that came with an import; an imported entry can be refunded.
	receipt, err := l.Do(ctx, ledger.Mint{Request: request, Amount: 1})
	if err != nil || !receipt.Wallet.Frozen {
		t.Errorf("after a mint: %+v, %v", receipt.Wallet, err)
	}
	if receipt, err = l.Do(ctx, ledger.Refund{Request: request, EntryID: "c", Amount: 2}); err != nil || receipt.Refundable != 7 {
		t.Errorf("the refund of an imported use: %+v, %v", receipt, err)
	}
}
