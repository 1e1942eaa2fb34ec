package ledgertest

import (
	"maps"
	"reflect"
	"testing"
	"time"

	"sokuji/internal/ledger"
)

func grantOf(subject ledger.Subject, id string, expiry time.Time, remaining int64) ledger.Grant {
	return ledger.Grant{
		ID: id, Subject: subject, Amount: 10, Remaining: remaining, State: ledger.GrantLive, ExpiresAt: expiry, CreatedAt: eight,
	}
}

func commitGrants(t *testing.T, f Fixture, grants ...ledger.Grant) {
	t.Helper()
	commit(t, f.Store, &ledger.Changes{Grants: grants})
}

func grantsAreReadBack(t *testing.T, f Fixture) {
	want := grantOf(alice, "grant1", eight.Add(time.Hour), 10)
	commitGrants(t, f, want)
	for _, change := range []func(){
		func() {},
		func() { want.Remaining = 4 },
		func() { want.Remaining, want.Expired, want.State = 0, 4, ledger.GrantExpired },
	} {
		change()
		commitGrants(t, f, want)
		tx := begin(t, f.Store)
		grant, found, err := tx.Grant(want.ID)
		same(t, "grant", grant, want, found, err)
		if _, found, err := tx.Grant("nothing"); found || err != nil {
			t.Fatalf("an unknown grant: found %v, %v", found, err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}

// A wallet's grants are those with tokens left, over or not, soonest first.
func liveGrantsAreListed(t *testing.T, f Fixture) {
	soon, later, also := grantOf(alice, "grant3", eight, 1), grantOf(alice, "grant1", eight.Add(time.Hour), 2), grantOf(alice, "grant2", eight.Add(time.Hour), 3)
	expired := grantOf(alice, "grant4", eight, 0)
	expired.State, expired.Expired = ledger.GrantExpired, 10
	commitGrants(t, f, also, later, soon, expired, grantOf(alice, "grant5", eight.Add(time.Minute), 0), grantOf(acme, "grant6", eight, 5))
	tx := begin(t, f.Store)
	defer func() { _ = tx.Rollback() }()
	got, err := tx.Grants(alice)
	if err != nil || !reflect.DeepEqual(got, []ledger.Grant{soon, later, also}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	got, err = tx.Grants(ledger.Subject{Type: ledger.SubjectOrganization, ID: alice.ID})
	if err != nil || len(got) != 0 {
		t.Fatalf("another wallet has %+v, %v", got, err)
	}
}

func dueGrantsArePaged(t *testing.T, f Fixture) {
	duePages(t, f.Store.DueGrants, func(id string, at time.Time) {
		commitGrants(t, f, grantOf(alice, id, at, 7))
	}, func() {
		expired := grantOf(alice, "d0", eight.Add(-time.Hour), 0)
		expired.State = ledger.GrantExpired
		commitGrants(t, f, expired)
	})
	// One that is used up is over too, and has to be closed.
	commitGrants(t, f, grantOf(alice, "d9", eight.Add(-2*time.Hour), 0))
	due, err := f.Store.DueGrants(t.Context(), eight, ledger.DuePosition{}, 1)
	if err != nil || len(due) != 1 || due[0].ID != "d9" || !due[0].ExpiresAt.Equal(eight.Add(-2*time.Hour)) {
		t.Fatalf("got %+v, %v", due, err)
	}
}

// A use's moves are summed with those of its refunds, and with nobody else's.
func movesAddUp(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	use := sample(alice, "use1")
	use.Moves = []ledger.GrantMove{{LedgerID: "use1", GrantID: "g1", Tokens: -20}, {LedgerID: "use1", GrantID: "g2", Tokens: -16}}
	commit(t, f.Store, use)
	for i, moves := range [][]ledger.GrantMove{
		{{LedgerID: "refund1", GrantID: "g1", Tokens: 5}},
		{{LedgerID: "refund2", GrantID: "g1", Tokens: 15}, {LedgerID: "refund2", GrantID: "g2", Tokens: 1}},
	} {
		refund := entryAfter("use1", moves[0].LedgerID, int64(i)+2, ledger.EventRefund, ledger.ReferenceLedger)
		commit(t, f.Store, &ledger.Changes{Entries: []*ledger.Entry{refund}, Moves: moves})
	}
	other := entryAfter("use1", "other", 4, ledger.EventUse, ledger.ReferenceHold)
	commit(t, f.Store, &ledger.Changes{Entries: []*ledger.Entry{other}, Moves: []ledger.GrantMove{{LedgerID: "other", GrantID: "g1", Tokens: -100}}})

	tx := begin(t, f.Store)
	defer func() { _ = tx.Rollback() }()
	for id, want := range map[string]map[string]int64{
		"use1": {"g1": 0, "g2": -15}, "refund2": {"g1": 15, "g2": 1}, "other": {"g1": -100}, "nothing": {},
	} {
		got, err := tx.GrantMoves(id)
		if err != nil || !maps.Equal(got, want) {
			t.Fatalf("%s: got %v, %v; want %v", id, got, err, want)
		}
	}
}

func entryAfter(reference, id string, seq int64, event ledger.EventType, referenceType string) *ledger.Entry {
	return &ledger.Entry{
		ID: id, Subject: alice, Seq: seq, Amount: 1, EventType: event, ReferenceType: referenceType, ReferenceID: reference,
		CreatedAt: eight, Hash: ledger.Hash{byte(seq)},
	}
}

// What one entry moved in one grant is one row.
func movesHappenOnce(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	moves := []ledger.GrantMove{{LedgerID: "use1", GrantID: "g1", Tokens: -20}}
	conflicts(t, f, &ledger.Changes{Moves: moves}, &ledger.Changes{Moves: moves})
}
