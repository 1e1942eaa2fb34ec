package ledgertest

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"sokuji/internal/ledger"
)

// Fixture is a store under test: empty, with a way to add wallets.
type Fixture struct {
	Store        ledger.Store
	CreateWallet func(t *testing.T, subject ledger.Subject)
	// Day and Quarter read committed roll-ups: of a UTC day (YYYY-MM-DD), and of a
	// slot of ledger.QuarterSeconds. They are zero where nothing was used.
	Day     func(t *testing.T, subject ledger.Subject, day string) ledger.UsageTotals
	Quarter func(t *testing.T, subject ledger.Subject, slot int64) ledger.UsageTotals
}

// Suite is what every store must do. open returns a fresh store each time.
func Suite(t *testing.T, open func(t *testing.T) Fixture) {
	for name, test := range map[string]func(*testing.T, Fixture){
		"what is written is read back":              readBack,
		"a rollback leaves nothing":                 rollbackLeavesNothing,
		"nobody sees an open transaction":           isolation,
		"a taken id is a conflict":                  takenID,
		"an external event happens once":            externalEventOnce,
		"a request key is used once":                requestKeyOnce,
		"a seq is used once":                        seqOnce,
		"refunds add up":                            refundsAddUp,
		"what is not there is not found":            notThere,
		"a wallet is found by its type and its id":  walletByTypeAndID,
		"holds are read back":                       holdsAreReadBack,
		"holds change until they are closed":        holdsChange,
		"a closed hold is a conflict":               closedHoldsStay,
		"open holds are listed by wallet":           openHoldsAreListed,
		"due holds are listed in pages":             dueHoldsArePaged,
		"grants are read back":                      grantsAreReadBack,
		"live grants are listed by wallet":          liveGrantsAreListed,
		"due grants are listed in pages":            dueGrantsArePaged,
		"due is what is committed":                  dueIsCommitted,
		"the moves of a use and its refunds add up": movesAddUp,
		"a move happens once":                       movesHappenOnce,
		"finished requests keep their answers":      requestsKeepTheirAnswers,
		"request keys are scoped":                   requestKeysAreScoped,
		"the spending of a key is kept":             spendingIsKept,
		"roll-ups add up":                           rollupsAddUp,
		"the writer's books balance over the store": writerBalances,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

var (
	alice = ledger.UserSubject("alice0000000001")
	acme  = ledger.Subject{Type: ledger.SubjectOrganization, ID: "acme00000000001"}
)

func begin(t *testing.T, store ledger.Store) ledger.Tx {
	t.Helper()
	tx, err := store.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func commit(t *testing.T, store ledger.Store, changes *ledger.Changes) {
	t.Helper()
	tx := begin(t, store)
	if err := tx.Write(changes); err != nil {
		t.Fatal(errors.Join(err, tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// sample is one use with every field set, and the wallet it leads to.
func sample(subject ledger.Subject, id string) *ledger.Changes {
	at := time.Date(2026, 11, 24, 8, 0, 0, 123_000_000, time.UTC)
	entry := ledger.Entry{
		ID: id, Subject: subject, Seq: 1, Amount: -36, BalanceAfter: -36, EventType: ledger.EventUse,
		ReferenceType: "reference", ReferenceID: "r1", PlanID: "free_plan", ExternalEventID: "event-" + id,
		IdempotencyKey: "key", RequestHash: "abcd", Description: "a use, \"quoted\" – ünïcode",
		Metadata: json.RawMessage(`{"a":[1,2.5,null],"b":"ü"}`), CreatedAt: at,
	}
	entry.Hash = entry.ComputeHash()
	usage := ledger.UsageRow{
		ID: id, Subject: subject, LedgerID: id, ChargedTokens: 36, CreatedAt: at,
		Usage: ledger.Usage{
			Provider: "openai", Model: "m", Modality: "audio", Endpoint: "/e", Method: "WS", SessionID: "s",
			RequestID: "q", ResponseID: "p", EventType: "response.done",
			InputTokens: 10, OutputTokens: 11, TotalTokens: 21, Milliseconds: 5,
			AdjustedInputTokens: 12, AdjustedOutputTokens: 24, InputRatio: "1.2", OutputRatio: "2.4",
			PriceID: "price", Rates: json.RawMessage(`{"in_audio":1}`), Metadata: json.RawMessage(`{"m":1}`),
			CallFacts: ledger.CallFacts{
				APIKey: "key1", Counts: json.RawMessage(`{"in_audio":10}`), FirstByteMS: 120, DurationMS: 900,
				Status: 200, SettledBy: ledger.SettledByPartial,
			},
		},
	}
	key := ledger.RequestKey{Subject: subject, Kind: ledger.KindUse, Key: "key"}
	return &ledger.Changes{
		Entries: []*ledger.Entry{&entry},
		Usage:   []*ledger.UsageRow{&usage},
		Daily: []ledger.DailyUsage{{
			Subject: subject, Day: "2026-11-24",
			UsageTotals: ledger.UsageTotals{Uses: 1, Tokens: 36, InputTokens: 10, OutputTokens: 11},
		}},
		Audit: []*ledger.AuditRow{{
			ID: id, Actor: "superuser:x", Action: "wallet.use", Subject: subject, Reason: "why",
			Details: json.RawMessage(`{"d":1}`), CreatedAt: at,
		}},
		Requests: []*ledger.StoredRequest{{
			Key: key, Fingerprint: ledger.Hash{1, 2, 3}, EntryID: id,
			Wallet: ledger.Standing{Balance: -36, Held: 4, Frozen: true}, Refundable: 7, CreatedAt: at,
		}},
		Wallets: []ledger.Wallet{{
			Subject: subject, Balance: -36, Held: 4, Expiring: 5, Frozen: true, FrozenReason: "why", Seq: 1, Head: entry.Hash, UpdatedAt: at,
		}},
		Entitlements: []ledger.Entitlement{{Subject: subject, At: at, PlanChange: ledger.PlanChange{
			PlanID: "pro_plan", MaxConcurrentSessions: 5, RateLimitRPM: 300, Features: json.RawMessage(`["basic"]`),
		}}},
	}
}

func readBack(t *testing.T, f Fixture) {
	for _, subject := range []ledger.Subject{alice, acme} {
		f.CreateWallet(t, subject)
		want := sample(subject, "entry"+subject.ID)
		commit(t, f.Store, want)

		tx := begin(t, f.Store)
		wallet, found, err := tx.Wallet(subject)
		same(t, "wallet", wallet, want.Wallets[0], found, err)
		entry, found, err := tx.Entry(want.Entries[0].ID)
		same(t, "entry", entry, *want.Entries[0], found, err)
		entry, found, err = tx.EntryByExternalEvent(want.Entries[0].ExternalEventID)
		same(t, "entry by event", entry, *want.Entries[0], found, err)
		usage, found, err := tx.Usage(want.Usage[0].ID)
		same(t, "usage", usage, *want.Usage[0], found, err)
		request, found, err := tx.Request(want.Requests[0].Key)
		same(t, "request", request, *want.Requests[0], found, err)
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		committed, found, err := f.Store.Wallet(context.Background(), subject)
		same(t, "committed wallet", committed, want.Wallets[0], found, err)
	}
}

func same[T any](t *testing.T, what string, got, want T, found bool, err error) {
	t.Helper()
	if err != nil || !found {
		t.Fatalf("%s: found %v, error %v", what, found, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func rollbackLeavesNothing(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	changes := sample(alice, "entry1")
	tx := begin(t, f.Store)
	if err := tx.Write(changes); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	tx = begin(t, f.Store)
	defer func() { _ = tx.Rollback() }()
	wallet, found, err := tx.Wallet(alice)
	if err != nil || !found || wallet.Seq != 0 || wallet.Balance != 0 {
		t.Fatalf("the wallet is %+v (found %v, error %v)", wallet, found, err)
	}
	if _, found, _ := tx.Entry("entry1"); found {
		t.Fatal("the entry stayed")
	}
	if _, found, _ := tx.Request(changes.Requests[0].Key); found {
		t.Fatal("the request stayed")
	}
	if _, found, _ := tx.Usage("entry1"); found {
		t.Fatal("the usage row stayed")
	}
}

func isolation(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	tx := begin(t, f.Store)
	if err := tx.Write(sample(alice, "entry1")); err != nil {
		t.Fatal(err)
	}
	wallet, _, err := f.Store.Wallet(context.Background(), alice)
	if err != nil || wallet.Seq != 0 {
		t.Fatalf("a reader saw %+v (error %v) before the commit", wallet, err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	wallet, _, err = f.Store.Wallet(context.Background(), alice)
	if err != nil || wallet.Seq != 1 {
		t.Fatalf("a reader saw %+v (error %v) after the commit", wallet, err)
	}
}

// conflicts commits the first changes and expects the second to be refused.
func conflicts(t *testing.T, f Fixture, first, second *ledger.Changes) {
	t.Helper()
	commit(t, f.Store, first)
	tx := begin(t, f.Store)
	defer func() { _ = tx.Rollback() }()
	if err := tx.Write(second); !errors.Is(err, ledger.ErrConflict) {
		t.Fatalf("got %v, want ErrConflict", err)
	}
}

func takenID(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	f.CreateWallet(t, acme)
	second := &ledger.Changes{Entries: sample(acme, "entry1").Entries}
	second.Entries[0].ExternalEventID = ""
	conflicts(t, f, sample(alice, "entry1"), second)
}

func externalEventOnce(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	f.CreateWallet(t, acme)
	commit(t, f.Store, sample(alice, "entry1"))
	tx := begin(t, f.Store)
	defer func() { _ = tx.Rollback() }()
	entry, found, err := tx.EntryByExternalEvent("event-entry1")
	if err != nil || !found || entry.Subject != alice {
		t.Fatalf("got %+v, %v, %v", entry, found, err)
	}
}

func requestKeyOnce(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	conflicts(t, f, sample(alice, "entry1"), &ledger.Changes{Requests: sample(alice, "entry2").Requests})
}

func seqOnce(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	conflicts(t, f, sample(alice, "entry1"), &ledger.Changes{Entries: sample(alice, "entry2").Entries})
}

func refundsAddUp(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	commit(t, f.Store, sample(alice, "entry1"))
	for i, amount := range []int64{10, 20} {
		refund := ledger.Entry{
			ID: "refund" + string(rune('1'+i)), Subject: alice, Seq: int64(i) + 2, Amount: amount,
			EventType: ledger.EventRefund, ReferenceType: ledger.ReferenceLedger, ReferenceID: "entry1",
			CreatedAt: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC), Hash: ledger.Hash{byte(i) + 1},
		}
		commit(t, f.Store, &ledger.Changes{Entries: []*ledger.Entry{&refund}})
	}
	tx := begin(t, f.Store)
	defer func() { _ = tx.Rollback() }()
	if sum, err := tx.Refunded("entry1"); err != nil || sum != 30 {
		t.Fatalf("got %d, %v; want 30", sum, err)
	}
	if sum, err := tx.Refunded("refund1"); err != nil || sum != 0 {
		t.Fatalf("got %d, %v; want 0", sum, err)
	}
}

func notThere(t *testing.T, f Fixture) {
	tx := begin(t, f.Store)
	defer func() { _ = tx.Rollback() }()
	_, wallet, errWallet := tx.Wallet(alice)
	_, entry, errEntry := tx.Entry("x")
	_, event, errEvent := tx.EntryByExternalEvent("x")
	_, usage, errUsage := tx.Usage("x")
	_, request, errRequest := tx.Request(ledger.RequestKey{Subject: alice, Kind: ledger.KindUse, Key: "x"})
	if wallet || entry || event || usage || request {
		t.Fatal("something was found in an empty store")
	}
	if err := errors.Join(errWallet, errEntry, errEvent, errUsage, errRequest); err != nil {
		t.Fatal(err)
	}
}

func walletByTypeAndID(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	_, found, err := f.Store.Wallet(context.Background(), ledger.Subject{Type: ledger.SubjectOrganization, ID: alice.ID})
	if err != nil || found {
		t.Fatalf("an organisation found a user's wallet (error %v)", err)
	}
}

// writerBalances runs the real writer over the store, with repeats and refusals.
func writerBalances(t *testing.T, f Fixture) {
	f.CreateWallet(t, alice)
	random := rand.New(rand.NewPCG(1, 2))
	clock := NewClock()
	l := ledger.Open(f.Store, ledger.Options{Now: clock.Now, Random: rand.NewChaCha8([32]byte{1})})
	defer l.Close()

	var balance int64
	for i := range 200 {
		clock.Advance(time.Duration(random.IntN(3)) * time.Hour)
		key := ""
		if i%3 == 0 {
			key = string(rune('a' + random.IntN(26)))
		}
		amount := random.Int64N(100) + 1
		op := ledger.Operation(ledger.Mint{Request: ledger.Request{Subject: alice, IdempotencyKey: key}, Amount: amount})
		if i%2 == 0 {
			op = ledger.Use{Request: ledger.Request{Subject: alice, IdempotencyKey: key}, Amount: amount}
		}
		receipt, err := l.Do(context.Background(), op)
		if err == nil && !receipt.Replayed {
			balance += receipt.Entry.Amount
			if receipt.Wallet.Balance != balance {
				t.Fatalf("step %d: the receipt says %d, the sum is %d", i, receipt.Wallet.Balance, balance)
			}
		}
	}
	wallet, err := l.Wallet(context.Background(), alice)
	if err != nil || wallet.Balance != balance || wallet.Seq == 0 {
		t.Fatalf("the wallet is %+v (error %v), the sum %d", wallet, err, balance)
	}
	stored, _, err := f.Store.Wallet(context.Background(), alice)
	if err != nil || !reflect.DeepEqual(stored, wallet) {
		t.Fatalf("the cache says %+v, the disk %+v (error %v)", wallet, stored, err)
	}
}
