package ledgertest

import (
	"testing"

	"sokuji/internal/ledger"
)

// rollupsAddUp: what a batch brings is added to what is there.
func rollupsAddUp(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	f.CreateWallet(t, acme)
	slot := eight.Unix() / ledger.QuarterSeconds
	one := ledger.UsageTotals{Uses: 1, Tokens: 36, InputTokens: 10, OutputTokens: 11}
	two := ledger.UsageTotals{Uses: 2, Tokens: 40, InputTokens: 20, OutputTokens: 30}
	sum := ledger.UsageTotals{Uses: 3, Tokens: 76, InputTokens: 30, OutputTokens: 41}
	const day, next = "2026-11-24", "2026-11-25"
	commit(t, f.Store, &ledger.Changes{
		Daily:    []ledger.DailyUsage{{Subject: alice, Day: day, UsageTotals: one}, {Subject: acme, Day: day, UsageTotals: two}},
		Quarters: []ledger.QuarterUsage{{Subject: alice, Slot: slot, UsageTotals: one}, {Subject: acme, Slot: slot, UsageTotals: two}},
	})
	commit(t, f.Store, &ledger.Changes{
		Daily:    []ledger.DailyUsage{{Subject: alice, Day: day, UsageTotals: two}, {Subject: alice, Day: next, UsageTotals: one}},
		Quarters: []ledger.QuarterUsage{{Subject: alice, Slot: slot, UsageTotals: two}, {Subject: alice, Slot: slot + 1, UsageTotals: one}},
	})
	for _, want := range []struct {
		subject ledger.Subject
		day     string
		slot    int64
		totals  ledger.UsageTotals
	}{
		{alice, day, slot, sum}, {alice, next, slot + 1, one}, {acme, day, slot, two}, {acme, next, slot + 1, ledger.UsageTotals{}},
	} {
		if got := f.Day(t, want.subject, want.day); got != want.totals {
			t.Errorf("day %s of %s: got %+v, want %+v", want.day, want.subject.ID, got, want.totals)
		}
		if got := f.Quarter(t, want.subject, want.slot); got != want.totals {
			t.Errorf("slot %d of %s: got %+v, want %+v", want.slot, want.subject.ID, got, want.totals)
		}
	}
}
