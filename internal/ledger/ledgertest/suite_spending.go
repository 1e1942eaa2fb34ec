package ledgertest

import (
	"testing"

	"sokuji/internal/ledger"
)

// The last write of a key's sums is what counts, and a key that never spent has
// none.
func spendingIsKept(t *testing.T, f Fixture) {
	key1 := ledger.KeySpending{
		KeyID: "key1", Tokens: 900, HeldTokens: 7, Day: "2026-11-24", DayTokens: 30, Month: "2026-11", MonthTokens: 400,
	}
	key2 := ledger.KeySpending{KeyID: "key2", Tokens: 1, Day: "2026-11-24", DayTokens: 1, Month: "2026-11", MonthTokens: 1}
	commit(t, f.Store, &ledger.Changes{Spending: []ledger.KeySpending{key1, key2}})
	key1.Tokens, key1.HeldTokens, key1.Day, key1.DayTokens = 950, 0, "2026-11-25", 50
	commit(t, f.Store, &ledger.Changes{Spending: []ledger.KeySpending{key1}})
	tx := begin(t, f.Store)
	defer func() { _ = tx.Rollback() }()
	for _, want := range []ledger.KeySpending{key1, key2} {
		got, found, err := tx.KeySpending(want.KeyID)
		same(t, want.KeyID, got, want, found, err)
	}
	if _, found, err := tx.KeySpending("key3"); found || err != nil {
		t.Fatalf("a key that never spent: found %v, %v", found, err)
	}
}
