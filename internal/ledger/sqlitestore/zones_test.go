package sqlitestore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/verify"
)

// jumpy is a wallet whose entries were written by a clock that was set back and
// ahead now and then, and the entries themselves. They fill some zones and a part
// of one.
func jumpy(t *testing.T) (fixture, ledger.Subject, []ledger.ImportedEntry) {
	t.Helper()
	const count = 3*1_024 + 100
	f := open(t)
	subject := ledger.UserSubject("alice0000000001")
	f.createWallet(t, subject)
	random := rand.New(rand.NewPCG(3, 4))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var entries []ledger.ImportedEntry
	for i := range count {
		at = at.Add(time.Duration(random.IntN(20)) * time.Minute)
		switch random.IntN(400) {
		case 0:
			at = at.Add(-time.Duration(random.IntN(200)) * time.Hour)
		case 1:
			at = at.Add(time.Duration(random.IntN(200)) * time.Hour)
		}
		event := ledger.EventUse
		if random.IntN(10) == 0 {
			event = []ledger.EventType{ledger.EventMint, ledger.EventRefund, ledger.EventAdjust}[random.IntN(3)]
		}
		entries = append(entries, ledger.ImportedEntry{Subject: subject, ID: fmt.Sprint("e", i), At: at, Amount: 1, EventType: event})
	}
	if _, err := ledger.Import(context.Background(), f.store, entries, true); err != nil {
		t.Fatal(err)
	}
	return f, subject, entries
}

// instants are the ends of periods to try: times of entries, and times beside them.
func instants(entries []ledger.ImportedEntry, random *rand.Rand) (from, to time.Time) {
	pick := func() time.Time {
		if random.IntN(5) == 0 {
			return time.Time{}
		}
		return entries[random.IntN(len(entries))].At.Add(time.Duration(random.IntN(3)-1) * time.Millisecond)
	}
	return pick(), pick()
}

func TestListsOfAPeriodAreRightWhateverTheClockDid(t *testing.T) {
	f, subject, entries := jumpy(t)
	random := rand.New(rand.NewPCG(5, 6))
	for range 120 {
		query := ledger.EntryQuery{Subject: subject, Limit: 400}
		query.From, query.To = instants(entries, random)
		query.EventType = []ledger.EventType{"", ledger.EventUse, ledger.EventMint, ledger.EventAdjust}[random.IntN(4)]
		var want []string
		for _, e := range slices.Backward(entries) {
			if (query.EventType == "" || e.EventType == query.EventType) && !e.At.Before(query.From) && (query.To.IsZero() || e.At.Before(query.To)) {
				want = append(want, e.ID)
			}
		}
		var got []string
		for more := true; more; {
			page, err := f.store.Entries(context.Background(), query)
			if err != nil {
				t.Fatal(err)
			}
			if page.Total != int64(len(want)) {
				t.Fatalf("%s %q from %s to %s: total %d, want %d", subject.ID, query.EventType, query.From, query.To, page.Total, len(want))
			}
			for _, row := range page.Rows {
				got = append(got, row.ID)
				query.BeforeSeq = row.Seq
			}
			more = page.More
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q from %s to %s: %d rows, want %d", query.EventType, query.From, query.To, len(got), len(want))
		}
	}
}

// The server's statements begin and end where those of the command line do.
func TestPeriodsOfAStatementHaveOneRule(t *testing.T) {
	f, subject, entries := jumpy(t)
	random := rand.New(rand.NewPCG(7, 8))
	newest := int64(len(entries))
	for range 60 {
		from, to := instants(entries, random)
		if from.IsZero() || to.IsZero() || to.Before(from) {
			continue
		}
		opening, err := f.store.SeqBefore(context.Background(), subject, newest, from)
		if err != nil {
			t.Fatal(err)
		}
		closing, err := f.store.SeqBefore(context.Background(), subject, newest, to)
		if err != nil {
			t.Fatal(err)
		}
		var want, last int64
		err = verify.ReadHistory(context.Background(), f.writer, subject, from, to, func(h verify.History) error {
			want, last = h.Opening.Seq, h.Opening.Seq
			for entry, err := range h.Entries() {
				if err != nil {
					return err
				}
				last = entry.Seq
			}
			return nil
		})
		if err != nil || opening != want || closing != last {
			t.Fatalf("from %s to %s: after %d up to %d, the command line says after %d up to %d, %v", from, to, opening, closing, want, last, err)
		}
	}
	for at, want := range map[time.Time]int64{entries[0].At: 0, entries[0].At.AddDate(-1, 0, 0): 0, entries[0].At.AddDate(9, 0, 0): newest} {
		if got, err := f.store.SeqBefore(context.Background(), subject, newest, at); err != nil || got != want {
			t.Errorf("before %s: %d, %v, want %d", at, got, err, want)
		}
	}
}

// Zones that are full are kept; what is written later belongs to new ones.
func TestZonesGrowWithTheWallet(t *testing.T) {
	f, subject, entries := jumpy(t)
	last := entries[len(entries)-1].At.AddDate(5, 0, 0)
	query := ledger.EntryQuery{Subject: subject, Limit: 1, From: last}
	wantTotal := func(want int64) {
		t.Helper()
		page, err := f.store.Entries(context.Background(), query)
		if err != nil || page.Total != want {
			t.Fatalf("total %d, %v, want %d", page.Total, err, want)
		}
	}
	wantTotal(0)
	var later []ledger.ImportedEntry
	for i := range 2_000 {
		later = append(later, ledger.ImportedEntry{Subject: subject, ID: fmt.Sprint("later", i), At: last, Amount: 1, EventType: ledger.EventUse})
	}
	if _, err := ledger.Import(context.Background(), f.store, later, true); err != nil {
		t.Fatal(err)
	}
	wantTotal(2_000)
}
