package sqlitestore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
)

// filled is a wallet with ten mints and twenty uses, one an hour, and a second
// wallet that must never show.
func filled(t *testing.T) (fixture, ledger.Subject) {
	t.Helper()
	f := open(t)
	alice, bob := ledger.UserSubject("alice0000000001"), ledger.UserSubject("bob000000000001")
	f.createWallet(t, alice)
	f.createWallet(t, bob)
	clock := ledgertest.NewClock() // 2026-11-24 08:00
	l := ledger.Open(f.store, ledger.Options{Now: clock.Now, Random: rand.NewChaCha8([32]byte{})})
	defer l.Close()
	for i := range 30 {
		for _, subject := range []ledger.Subject{alice, bob} {
			op := ledger.Operation(ledger.Use{
				Request: ledger.Request{Subject: subject}, Amount: 1,
				Usage: ledger.Usage{Model: fmt.Sprintf("m%d", i%2), EventType: "response.done"},
			})
			if i%3 == 0 {
				op = ledger.Mint{Request: ledger.Request{Subject: subject}, Amount: 100}
			}
			if _, err := l.Do(context.Background(), op); err != nil {
				t.Fatal(err)
			}
		}
		clock.Advance(time.Hour)
	}
	return f, alice
}

func TestPagesOfEntriesMeetWithoutGapOrOverlap(t *testing.T) {
	f, alice := filled(t)
	for _, byCursor := range []bool{true, false} {
		query := ledger.EntryQuery{Subject: alice, Limit: 7}
		var seqs []int64
		for {
			page, err := f.store.Entries(context.Background(), query)
			if err != nil {
				t.Fatal(err)
			}
			if page.Total != 30 {
				t.Fatalf("total %d", page.Total)
			}
			for _, entry := range page.Rows {
				seqs = append(seqs, entry.Seq)
			}
			if !page.More {
				break
			}
			query.Offset += query.Limit
			if byCursor {
				query.Offset, query.BeforeSeq = 0, page.Rows[len(page.Rows)-1].Seq
			}
		}
		checkCountdown(t, seqs, 30)
	}
}

func checkCountdown(t *testing.T, got []int64, from int64) {
	t.Helper()
	if int64(len(got)) != from {
		t.Fatalf("%d rows, want %d", len(got), from)
	}
	for i, seq := range got {
		if seq != from-int64(i) {
			t.Fatalf("got %v", got)
		}
	}
}

func TestPagesOfUsesMeetWithoutGapOrOverlap(t *testing.T) {
	f, alice := filled(t)
	query := ledger.UsageQuery{Subject: alice, Limit: 3}
	seen := map[string]bool{}
	last := "~"
	for {
		page, err := f.store.Usage(context.Background(), query)
		if err != nil || page.Total != 20 {
			t.Fatalf("total %d, %v", page.Total, err)
		}
		for _, row := range page.Rows {
			if seen[row.ID] || row.ID >= last || row.Subject != alice {
				t.Fatalf("%s came twice or out of order", row.ID)
			}
			seen[row.ID], last = true, row.ID
		}
		if !page.More {
			break
		}
		end := page.Rows[len(page.Rows)-1]
		query.Before = ledger.UsagePosition{CreatedAt: end.CreatedAt, ID: end.ID}
	}
	if len(seen) != 20 {
		t.Fatalf("%d uses, want 20", len(seen))
	}
}

func TestFilters(t *testing.T) {
	f, alice := filled(t)
	start := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	entries := map[string]struct {
		query ledger.EntryQuery
		want  int64
	}{
		"mints":                      {ledger.EntryQuery{EventType: ledger.EventMint}, 10},
		"uses":                       {ledger.EntryQuery{EventType: ledger.EventUse}, 20},
		"refunds":                    {ledger.EntryQuery{EventType: ledger.EventRefund}, 0},
		"from is included":           {ledger.EntryQuery{From: start.Add(10 * time.Hour)}, 20},
		"to is not":                  {ledger.EntryQuery{To: start.Add(10 * time.Hour)}, 10},
		"a period":                   {ledger.EntryQuery{From: start.Add(3 * time.Hour), To: start.Add(6 * time.Hour)}, 3},
		"mints of a period":          {ledger.EntryQuery{EventType: ledger.EventMint, To: start.Add(6 * time.Hour)}, 2},
		"an organisation's, same id": {ledger.EntryQuery{Subject: ledger.Subject{Type: ledger.SubjectOrganization, ID: alice.ID}, EventType: ledger.EventMint}, 0},
	}
	for name, test := range entries {
		test.query.Limit = 500
		if test.query.Subject.ID == "" {
			test.query.Subject = alice
		}
		page, err := f.store.Entries(context.Background(), test.query)
		if err != nil || page.Total != test.want || int64(len(page.Rows)) != test.want || page.More {
			t.Errorf("%s: %d of %d rows, more %v, %v", name, len(page.Rows), page.Total, page.More, err)
		}
	}
	uses := map[string]struct {
		query ledger.UsageQuery
		want  int64
	}{
		"a model":          {ledger.UsageQuery{Model: "m0"}, 10},
		"no such model":    {ledger.UsageQuery{Model: "m"}, 0},
		"an event":         {ledger.UsageQuery{EventType: "response.done"}, 20},
		"model and period": {ledger.UsageQuery{Model: "m1", To: start.Add(6 * time.Hour)}, 2},
	}
	for name, test := range uses {
		test.query.Limit, test.query.Subject = 500, alice
		page, err := f.store.Usage(context.Background(), test.query)
		if err != nil || page.Total != test.want || int64(len(page.Rows)) != test.want {
			t.Errorf("%s: %d of %d rows, %v", name, len(page.Rows), page.Total, err)
		}
	}
}

func TestUsedTokensComesFromRollUps(t *testing.T) {
	f, alice := filled(t)
	for since, want := range map[string]int64{"": 20, "2026-11-24": 20, "2026-11-25": 10, "2026-11-26": 0} {
		got, err := f.store.UsedTokens(context.Background(), alice, since)
		if err != nil || got != want {
			t.Errorf("since %q: got %d, %v; want %d", since, got, err, want)
		}
	}
}
