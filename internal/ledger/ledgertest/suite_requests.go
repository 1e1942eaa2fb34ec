package ledgertest

import (
	"testing"
	"time"

	"sokuji/internal/ledger"
)

// Finished requests keep the hold as it was, and the results of a batch.
func requestsKeepTheirAnswers(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	open, settled := holdOf(alice, "hold1", ledger.HoldOpen, eight.Add(time.Hour)), holdOf(alice, "hold1", ledger.HoldSettled, eight)
	items := []ledger.StoredItem{
		{EntryID: "entry1", Wallet: ledger.Standing{Balance: -5, Held: 3, Frozen: true}},
		{EntryID: "entry2"},
		{Code: ledger.CodeInvalidRequest, Field: "amount", Message: "amount – \"too much\""},
		{Code: ledger.CodeInsufficientBalance, Message: "not enough"},
	}
	for name, stored := range map[string]ledger.StoredRequest{
		"hold":    {Key: keyOf(ledger.KindHold), Hold: &open, Wallet: ledger.Standing{Balance: 9, Held: 7}},
		"settle":  {Key: keyOf(ledger.KindSettle), Hold: &settled, EntryID: "entry1"},
		"batch":   {Key: keyOf(ledger.KindBatch), Items: items},
		"freeze":  {Key: keyOf(ledger.KindFreeze), Wallet: ledger.Standing{Frozen: true}},
		"refund":  {Key: keyOf(ledger.KindRefund), EntryID: "entry3", Refundable: 4},
		"release": {Key: keyOf(ledger.KindRelease), Hold: &settled},
	} {
		stored.Fingerprint, stored.CreatedAt = ledger.Hash{1, 2, 3}, eight
		commit(t, f.Store, &ledger.Changes{Requests: []*ledger.StoredRequest{&stored}})
		tx := begin(t, f.Store)
		got, found, err := tx.Request(stored.Key)
		same(t, name, got, stored, found, err)
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
	// The hold itself has gone on; the answer has not.
	commitHolds(t, f, settled)
	tx := begin(t, f.Store)
	defer func() { _ = tx.Rollback() }()
	got, _, err := tx.Request(keyOf(ledger.KindHold))
	if err != nil || got.Hold.State != ledger.HoldOpen {
		t.Fatalf("got %+v, %v", got.Hold, err)
	}
}

func keyOf(kind ledger.Kind) ledger.RequestKey {
	return ledger.RequestKey{Subject: alice, Kind: kind, Key: "key"}
}

// A key counts for one wallet and one route.
func requestKeysAreScoped(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	f.CreateWallet(t, acme)
	for _, key := range []ledger.RequestKey{
		{Subject: alice, Kind: ledger.KindUse, Key: "key"}, {Subject: alice, Kind: ledger.KindSettle, Key: "key"},
		{Subject: acme, Kind: ledger.KindUse, Key: "key"}, {Subject: alice, Kind: ledger.KindUse, Key: "KEY"},
	} {
		tx := begin(t, f.Store)
		if _, found, err := tx.Request(key); found || err != nil {
			t.Fatalf("%v was found before it was stored (%v)", key, err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		commit(t, f.Store, &ledger.Changes{Requests: []*ledger.StoredRequest{{Key: key, CreatedAt: eight}}})
	}
}
