package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"sokuji/internal/ledger"
)

// eight is the morning on which the suite's rows were made.
var eight = time.Date(2026, 11, 24, 8, 0, 0, 123_000_000, time.UTC)

func holdOf(subject ledger.Subject, id string, state ledger.HoldState, deadline time.Time) ledger.HoldRow {
	hold := ledger.HoldRow{
		ID: id, Subject: subject, Amount: 7, State: state, Reference: "call – \"1\"", KeyID: "key1", CreatedAt: eight, ExpiresAt: deadline,
	}
	if state != ledger.HoldOpen {
		hold.ClosedAt = eight.Add(time.Minute)
	}
	if state == ledger.HoldSettled {
		hold.LedgerID = "entry1"
	}
	return hold
}

func commitHolds(t *testing.T, f Fixture, holds ...ledger.HoldRow) {
	t.Helper()
	commit(t, f.Store, &ledger.Changes{Holds: holds})
}

func holdsAreReadBack(t *testing.T, f Fixture) {
	for _, state := range []ledger.HoldState{ledger.HoldOpen, ledger.HoldExpired, ledger.HoldReleased, ledger.HoldSettled} {
		want := holdOf(alice, "hold-"+string(state), state, eight.Add(time.Hour))
		commitHolds(t, f, want)
		tx := begin(t, f.Store)
		hold, found, err := tx.Hold(want.ID)
		same(t, string(state), hold, want, found, err)
		if _, found, err := tx.Hold("nothing"); found || err != nil {
			t.Fatalf("an unknown hold: found %v, %v", found, err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}

// The last write of a hold is what counts: more tokens, a later deadline, the end.
func holdsChange(t *testing.T, f Fixture) {
	hold := holdOf(alice, "hold1", ledger.HoldOpen, eight.Add(time.Hour))
	commitHolds(t, f, hold)
	hold.Amount, hold.ExpiresAt = 9, eight.Add(2*time.Hour)
	commitHolds(t, f, hold)
	hold.State, hold.ClosedAt = ledger.HoldExpired, eight.Add(2*time.Hour)
	commitHolds(t, f, hold)
	hold.State, hold.ClosedAt, hold.LedgerID = ledger.HoldSettled, eight.Add(3*time.Hour), "entry1" // after its expiry
	commitHolds(t, f, hold)
	tx := begin(t, f.Store)
	defer func() { _ = tx.Rollback() }()
	got, found, err := tx.Hold(hold.ID)
	same(t, "hold", got, hold, found, err)
}

func closedHoldsStay(t *testing.T, f Fixture) {
	for _, closed := range []ledger.HoldState{ledger.HoldSettled, ledger.HoldReleased} {
		for _, next := range []ledger.HoldState{ledger.HoldOpen, ledger.HoldExpired, ledger.HoldReleased, ledger.HoldSettled} {
			id := fmt.Sprintf("hold-%s-%s", closed, next)
			commitHolds(t, f, holdOf(alice, id, closed, eight))
			tx := begin(t, f.Store)
			err := tx.Write(&ledger.Changes{Holds: []ledger.HoldRow{holdOf(alice, id, next, eight)}})
			if !errors.Is(err, ledger.ErrConflict) {
				t.Fatalf("%s after %s: got %v, want ErrConflict", next, closed, err)
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func openHoldsAreListed(t *testing.T, f Fixture) {
	later := eight.Add(time.Hour)
	first, second := holdOf(alice, "hold1", ledger.HoldOpen, later), holdOf(alice, "hold2", ledger.HoldOpen, eight)
	commitHolds(t, f, second, first, holdOf(acme, "hold3", ledger.HoldOpen, later),
		holdOf(alice, "hold4", ledger.HoldSettled, later), holdOf(alice, "hold5", ledger.HoldReleased, later), holdOf(alice, "hold6", ledger.HoldExpired, later))
	tx := begin(t, f.Store)
	defer func() { _ = tx.Rollback() }()
	for _, want := range []struct {
		subject ledger.Subject
		holds   []ledger.HoldRow
	}{
		{alice, []ledger.HoldRow{first, second}},
		{acme, []ledger.HoldRow{holdOf(acme, "hold3", ledger.HoldOpen, later)}},
		{ledger.Subject{Type: ledger.SubjectOrganization, ID: alice.ID}, nil},
	} {
		got, err := tx.OpenHolds(want.subject)
		if err != nil || !reflect.DeepEqual(got, want.holds) {
			t.Fatalf("%v: got %+v, %v\nwant %+v", want.subject, got, err, want.holds)
		}
	}
}

func dueHoldsArePaged(t *testing.T, f Fixture) {
	duePages(t, f.Store.DueHolds, func(id string, at time.Time) {
		commitHolds(t, f, holdOf(alice, id, ledger.HoldOpen, at))
	}, func() {
		commitHolds(t, f, holdOf(alice, "d0", ledger.HoldExpired, eight.Add(-time.Hour)), holdOf(alice, "d9", ledger.HoldSettled, eight))
	})
}

// duePages fills a list of what is due, out of order and with equal deadlines, and
// reads it in pages of every size. others adds what is over and must not be listed.
func duePages(t *testing.T, list func(context.Context, time.Time, ledger.DuePosition, int) ([]ledger.Due, error),
	add func(id string, at time.Time), others func()) {
	ctx := context.Background()
	if due, err := list(ctx, eight, ledger.DuePosition{}, 5); err != nil || len(due) != 0 {
		t.Fatalf("in an empty store: %+v, %v", due, err)
	}
	add("d3", eight)
	add("d2", eight)
	add("d1", eight.Add(-time.Millisecond))
	add("d4", eight)
	add("d5", eight.Add(time.Millisecond)) // one moment too late
	add("d6", eight.Add(-time.Hour))
	others()
	want := []string{"d6", "d1", "d2", "d3", "d4"}
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []string
		var after ledger.DuePosition
		for {
			page, err := list(ctx, eight, after, limit)
			if err != nil || len(page) > limit {
				t.Fatalf("a page of %d: %+v, %v", limit, page, err)
			}
			for _, due := range page {
				if due.Subject != alice {
					t.Fatalf("%+v is somebody else's", due)
				}
				got = append(got, due.ID)
			}
			if len(page) < limit || len(got) > len(want) {
				break
			}
			after = page[len(page)-1].DuePosition
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("in pages of %d: got %v, want %v", limit, got, want)
		}
	}
}

// What is not committed is not due yet.
func dueIsCommitted(t *testing.T, f Fixture) {
	tx := begin(t, f.Store)
	if err := tx.Write(&ledger.Changes{
		Holds:  []ledger.HoldRow{holdOf(alice, "hold1", ledger.HoldOpen, eight)},
		Grants: []ledger.Grant{grantOf(alice, "grant1", eight, 7)},
	}); err != nil {
		t.Fatal(err)
	}
	holds, err := f.Store.DueHolds(context.Background(), eight, ledger.DuePosition{}, 9)
	grants, errGrants := f.Store.DueGrants(context.Background(), eight, ledger.DuePosition{}, 9)
	if err := errors.Join(err, errGrants, tx.Rollback()); err != nil || len(holds)+len(grants) != 0 {
		t.Fatalf("got %+v and %+v, %v", holds, grants, err)
	}
}
