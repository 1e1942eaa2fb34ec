package verify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/statement"
	"sokuji/internal/ledger/verify"
)

// document is a wallet's statement for a period, and what is read back from it.
func (b *books) document(subject ledger.Subject, from, to time.Time) (statement.Report, error) {
	b.t.Helper()
	var out strings.Builder
	header := statement.Header{Subject: subject, From: from, To: to}
	err := verify.ReadHistory(context.Background(), b.db, subject, from, to, func(history verify.History) error {
		header.Opening = statement.Point(history.Opening)
		_, err := statement.Write(&out, statement.JSON, header, history.Entries())
		return err
	})
	if err != nil {
		return statement.Report{}, err
	}
	return statement.Verify(strings.NewReader(out.String()))
}

func TestPeriodsMeetWithoutGapOrOverlap(t *testing.T) {
	b := open(t)
	at := func(hours int) time.Time { return time.Date(2026, 11, 24, 8+hours, 0, 0, 0, time.UTC) }
	for _, subject := range []ledger.Subject{alice, bob, acme, idle} {
		whole, err := b.document(subject, time.Time{}, time.Time{})
		if err != nil || whole.Bad != nil || whole.Opening != (statement.Point{}) {
			t.Fatalf("%s: %v, %v, from %+v", subject.ID, err, whole.Bad, whole.Opening)
		}
		if want := b.pick(`SELECT seq || ' ' || balance_tokens FROM wallets WHERE id = ?`, subject.ID); want != seqAndBalance(whole.Closing) {
			t.Errorf("%s closes with %+v, the wallet says %s", subject.ID, whole.Closing, want)
		}
		var end statement.Point
		var entries int64
		for _, period := range [][2]time.Time{{{}, at(-5)}, {at(-5), at(0)}, {at(0), at(1)}, {at(1), at(30)}, {at(30), at(1000)}, {at(1000), {}}} {
			part, err := b.document(subject, period[0], period[1])
			if err != nil || part.Bad != nil || part.Opening != end {
				t.Fatalf("%s from %s: %v, %v; it opens with %+v, the one before closed with %+v", subject.ID, period[0], err, part.Bad, part.Opening, end)
			}
			end = part.Closing
			entries += part.Entries
		}
		if end != whole.Closing || entries != whole.Entries {
			t.Errorf("%s: the periods have %d entries and close with %+v, the whole %d and %+v", subject.ID, entries, end, whole.Entries, whole.Closing)
		}
	}
}

func seqAndBalance(p statement.Point) string {
	return fmt.Sprintf("%d %d", p.Seq, p.Balance)
}

// A clock that was set back must not put a hole into a statement.
func TestAClockThatWasSetBackMakesNoHole(t *testing.T) {
	w := watch(t)
	start := w.builder.clock.Now()
	for _, turn := range []time.Duration{time.Hour, -50 * time.Minute, time.Hour} {
		w.builder.use(alice, 1, "")
		w.builder.clock.Advance(turn)
	}
	w.builder.use(alice, 1, "")
	got, err := w.document(alice, start.Add(30*time.Minute), time.Time{})
	if err != nil || got.Bad != nil || got.Entries != 3 {
		t.Errorf("%d entries, %v, %v", got.Entries, err, got.Bad)
	}
}

func TestBadHistoriesAreRefused(t *testing.T) {
	b := open(t)
	if _, err := b.document(ledger.UserSubject("nobody"), time.Time{}, time.Time{}); !errors.Is(err, verify.ErrNoWallet) {
		t.Errorf("a wallet that is not there: %v", err)
	}
	if _, err := b.document(ledger.Subject{Type: ledger.SubjectOrganization, ID: alice.ID}, time.Time{}, time.Time{}); !errors.Is(err, verify.ErrNoWallet) {
		t.Errorf("a wallet of another type: %v", err)
	}
	id := b.pick(aUse)
	for _, change := range []string{`description = 'x'`, `created_at = 'x'`} {
		b := open(t)
		b.exec(setEntry+change+byID, id)
		if _, err := b.document(alice, time.Time{}, time.Time{}); err == nil || !strings.Contains(err.Error(), id) {
			t.Errorf("%s: %v, want one about %s", change, err, id)
		}
	}
}

func TestPointsOfAChain(t *testing.T) {
	b := open(t)
	at, err := verify.PointAt(context.Background(), b.db, alice, 5)
	want := b.pick(`SELECT balance_after || ' ' || hash FROM wallet_ledger WHERE subject_id = ? AND seq = 5`, alice.ID)
	if err != nil || fmt.Sprintf("%d %s", at.Balance, at.Hash) != want || at.Seq != 5 {
		t.Errorf("%+v, %v; want %s", at, err, want)
	}
	for _, seq := range []int64{0, -1, 1 << 40} {
		if at, err := verify.PointAt(context.Background(), b.db, alice, seq); err != nil || at != (verify.Point{}) {
			t.Errorf("seq %d: %+v, %v", seq, at, err)
		}
	}
}
