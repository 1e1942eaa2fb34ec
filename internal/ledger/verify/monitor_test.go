package verify_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
	"sokuji/internal/ledger/verify"
)

// watched is books with a server at work on them.
type watched struct {
	*books
	builder *builder
	monitor verify.Monitor
}

func watch(t *testing.T) *watched {
	t.Helper()
	w := &watched{books: open(t)}
	clock := ledgertest.NewClock()
	clock.Advance(30 * 24 * time.Hour) // after the last entry of the template
	w.builder = &builder{db: w.db, clock: clock}
	if err := w.builder.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.builder.close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *watched) check() []verify.Finding {
	w.t.Helper()
	checked, err := w.monitor.Check(context.Background(), w.db, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return checked.Findings
}

func (w *watched) wantSound(when string) {
	w.t.Helper()
	if found := w.check(); len(found) > 0 {
		w.t.Fatalf("%s: %v", when, found)
	}
}

// wantFinding looks for a row twice: what was found once is found again.
func (w *watched) wantFinding(table, id string) {
	w.t.Helper()
	for _, call := range []string{"first", "second", "third"} {
		if found := w.check(); !names(verify.Report{Findings: found}, table, id) {
			w.t.Fatalf("the %s call has no finding about %s %s: %v", call, table, id, found)
		}
	}
}

func TestTheMonitorFollowsASoundServer(t *testing.T) {
	w := watch(t)
	w.wantSound("at the start")
	for round := range 5 {
		for range 20 {
			w.builder.use(alice, 1, "")
			w.builder.mint(bob, 2, "", "", time.Hour)
			w.builder.settle(acme, w.builder.hold(acme, 1), "", 1)
		}
		w.builder.hold(alice, 1)
		w.builder.clock.Advance(time.Minute)
		w.wantSound("round " + string(rune('1'+round)))
	}
	w.wantSound("with nothing new")
}

func TestTheMonitorBeginsWithEmptyBooks(t *testing.T) {
	var monitor verify.Monitor
	b := openCopy(t, emptyTemplate)
	for range 2 {
		if checked, err := monitor.Check(context.Background(), b.db, 0); err != nil || len(checked.Findings) > 0 || checked.Behind != 0 {
			t.Fatalf("%+v, %v", checked, err)
		}
	}
}

// What happens to rows that were not verified yet.
func TestTheMonitorFindsWhatIsNew(t *testing.T) {
	for name, change := range map[string]string{
		"a changed description": setEntry + `description = 'x'` + byID,
		"a changed amount":      setEntry + `amount_tokens = amount_tokens - 1` + byID,
		"a changed seq":         setEntry + `seq = seq + 10` + byID,
		"another predecessor":   setEntry + `prev_hash = (` + `SELECT hash FROM wallet_ledger WHERE id IN (` + firstOf + `))` + byID,
		"a hash in capitals":    setEntry + `hash = upper(hash)` + byID,
		"an unreadable row":     setEntry + `created_at = 'x'` + byID,
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t)
			w.wantSound("before")
			w.builder.use(alice, 1, "")
			id := w.builder.use(alice, 2, "").Entry.ID
			w.builder.use(alice, 3, "")
			w.exec(change, id)
			w.wantFinding("wallet_ledger", id)
		})
	}
}

func TestTheMonitorFindsAMissingPredecessor(t *testing.T) {
	w := watch(t)
	w.wantSound("before")
	w.builder.use(alice, 1, "")
	gone, behind := w.builder.use(alice, 2, "").Entry.ID, w.builder.use(alice, 3, "").Entry.ID
	w.exec(`DELETE FROM wallet_ledger WHERE id = ?`, gone)
	w.wantFinding("wallet_ledger", behind)
}

// The place that the monitor keeps is an entry; when it changes or goes, the rows
// before it are not what they were.
func TestTheMonitorKeepsItsPlace(t *testing.T) {
	for name, change := range map[string]string{
		"cut off":     `DELETE FROM wallet_ledger` + byID,
		"rewritten":   setEntry + `hash = prev_hash` + byID,
		"overwritten": setEntry + `id = 'other'` + byID,
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t)
			id := w.builder.use(alice, 1, "").Entry.ID
			w.wantSound("before")
			w.exec(change, id)
			w.wantFinding("wallet_ledger", id)
		})
	}
}

func TestTheMonitorGoesOnWhenItIsMended(t *testing.T) {
	w := watch(t)
	w.wantSound("before")
	id := w.builder.use(alice, 1, "").Entry.ID
	w.exec(setEntry+`description = 'x'`+byID, id)
	w.wantFinding("wallet_ledger", id)
	w.exec(setEntry+`description = ''`+byID, id)
	w.wantSound("once it is mended")
}

func TestTheMonitorLooksAtWallets(t *testing.T) {
	for name, test := range map[string]struct{ change, id string }{
		"balance":               {setWallet + `balance_tokens = balance_tokens + 1` + byID, alice.ID},
		"seq":                   {setWallet + `seq = seq + 1` + byID, alice.ID},
		"head":                  {setWallet + `head_hash = ''` + byID, alice.ID},
		"held":                  {setWallet + `held_tokens = held_tokens + 1` + byID, alice.ID},
		"held, without a hold":  {setWallet + `held_tokens = 1` + byID, idle.ID},
		"expiring":              {setWallet + `expiring_tokens = expiring_tokens + 1` + byID, bob.ID},
		"expiring, without any": {setWallet + `expiring_tokens = 1` + byID, idle.ID},
		"unreadable":            {setWallet + `frozen = 7` + byID, idle.ID},
		"a hold changes":        {setHold + `amount_tokens = amount_tokens + 1 WHERE state = 'open' AND subject_id = ?1`, alice.ID},
		"a hold is opened":      {setHold + `state = 'open' WHERE id = (SELECT MIN(id) FROM wallet_holds WHERE state != 'open' AND subject_id = ?1)`, bob.ID},
		"a grant changes":       {setGrant + `remaining_tokens = remaining_tokens + 1 WHERE state = 'live' AND subject_id = ?1`, bob.ID},
		"the wallet is gone":    {`DELETE FROM wallets` + byID, alice.ID},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t)
			w.wantSound("before")
			w.builder.use(alice, 1, "")
			w.exec(test.change, test.id)
			w.wantFinding("wallets", test.id)
		})
	}
}

// pages writes so many of the monitor's pages of entries, and returns the last one.
func (w *watched) pages(count int) (last string) {
	w.t.Helper()
	const rows = 5_000
	uses := ledger.UseBatch{Request: ledger.Request{Subject: alice}}
	for range ledger.MaxBatchUses {
		uses.Uses = append(uses.Uses, ledger.Use{Amount: 1, AllowNegative: true})
	}
	for range count * rows / ledger.MaxBatchUses {
		results, _, err := w.builder.ledger.DoUses(context.Background(), uses)
		if err != nil {
			w.t.Fatal(err)
		}
		if results[len(results)-1].Err != nil {
			w.t.Fatal(results[len(results)-1].Err)
		}
		last = results[len(results)-1].Receipt.Entry.ID
	}
	return last
}

// A step costs the same however much is new, and the steps after it do the rest.
func TestTheMonitorWorksInBoundedSteps(t *testing.T) {
	w := watch(t)
	w.wantSound("before")
	const calls = 3
	last := w.pages(calls)
	w.exec(setEntry+`description = 'x'`+byID, last)
	for call := range calls - 1 {
		checked, err := w.monitor.Check(context.Background(), w.db, 0)
		if err != nil || names(verify.Report{Findings: checked.Findings}, "wallet_ledger", last) {
			t.Fatalf("call %d of %d: %+v, %v", call+1, calls, checked, err)
		}
		if want := int64(5_000 * (calls - 1 - call)); checked.Behind != want {
			t.Errorf("call %d is %d entries behind, want %d", call+1, checked.Behind, want)
		}
	}
	w.wantFinding("wallet_ledger", last)
}

// With patience one call catches up.
func TestThePatientMonitorCatchesUp(t *testing.T) {
	w := watch(t)
	w.wantSound("before")
	w.exec(setEntry+`description = 'x'`+byID, w.pages(3))
	checked, err := w.monitor.Check(context.Background(), w.db, time.Minute)
	if err != nil || len(checked.Findings) == 0 {
		t.Fatalf("%+v, %v", checked, err)
	}
	w = watch(t)
	w.wantSound("before")
	w.pages(2)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // it does not wait for its patience to end
	defer cancel()
	if checked, err := w.monitor.Check(ctx, w.db, time.Hour); err != nil || checked.Behind != 0 || len(checked.Findings) > 0 {
		t.Fatalf("%+v, %v", checked, err)
	}
}

// A server that starts again goes on where it was, however much was written since.
func TestTheMonitorGoesOnFromAMark(t *testing.T) {
	w := watch(t)
	w.wantSound("before")
	mark := w.monitor.Mark()
	first := w.builder.use(alice, 1, "").Entry.ID
	w.pages(2)
	w.exec(setEntry+`description = 'x'`+byID, first)
	w.monitor = verify.Monitor{}
	w.wantSound("without a mark")
	w.monitor = verify.Monitor{}
	w.monitor.GoOnFrom(mark)
	w.wantFinding("wallet_ledger", first)
	if w.monitor.Mark() != mark {
		t.Error("it went past a bad entry")
	}
	w.exec(`DELETE FROM wallet_ledger WHERE id = ?`, mark.ID)
	w.monitor = verify.Monitor{}
	w.monitor.GoOnFrom(mark)
	w.wantFinding("wallet_ledger", mark.ID)
}

func TestTheMonitorLooksAtKeys(t *testing.T) {
	for name, change := range map[string]string{
		"held_tokens":                 setKey + `held_tokens = held_tokens + 1` + byKey,
		"an open hold of another key": setHold + `api_key = 'key2' WHERE state = 'open' AND api_key = ?1`,
		"more on a day than ever":     setKey + `day_tokens = tokens + 1` + byKey,
		"a month no number":           setKey + `month_tokens = 'x'` + byKey,
		"the row is gone":             `DELETE FROM api_key_spending` + byKey,
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t)
			w.wantSound("before")
			w.exec(change, w.pick(aKey))
			w.wantFinding("api_key_spending", "key")
		})
	}
}

func TestTheMonitorSaysWhenItCannotRead(t *testing.T) {
	var monitor verify.Monitor
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := monitor.Check(context.Background(), db, 0); err == nil {
		t.Error("books that are not there are sound")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := monitor.Check(ctx, open(t).db, 0); err == nil {
		t.Error("a check that was called off is sound")
	}
}
