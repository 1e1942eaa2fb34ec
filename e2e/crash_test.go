package e2e

import (
	"context"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"

	"sokuji/e2e/testserver"
)

const (
	roundsVariable = "SOKUJI_CRASH_ROUNDS"
	seedVariable   = "SOKUJI_SEED"

	defaultCrashRounds = 4
	crashClients       = 16
	crashWallets       = 4       // each is shared by clients, so that batches mix them
	openingTokens      = 200_000 // enough that most uses are allowed
	// The crash comes at a random moment after the load has begun.
	earliestCrash, latestCrash = 100 * time.Millisecond, 900 * time.Millisecond
	// retriesPerRound bounds how many acknowledged operations are sent again.
	retriesPerRound = 300
)

// A crash may lose what was not answered, and nothing else; and it must never
// leave a half-done operation or do one twice.
func TestCrashesLoseAndDoubleNothing(t *testing.T) {
	seed := uintFromEnv(t, seedVariable, rand.Uint64())
	rounds := int(uintFromEnv(t, roundsVariable, defaultCrashRounds))
	t.Logf("%s=%d %s=%d", seedVariable, seed, roundsVariable, rounds)
	random := rand.New(rand.NewPCG(seed, 0))

	server := testserver.Start(t, testserver.Options{})
	history := &history{}
	var users []testserver.User
	for range crashWallets {
		user := newUser(t, server)
		users = append(users, user)
		opening := &operation{kind: "mint", op: testserver.Op{
			UserID: user.ID, Amount: openingTokens, ExternalEventID: "open-" + user.ID, Description: "open " + user.ID,
		}}
		opening.send(bounded(t), server)
		history.add(opening)
	}

	for round := 1; round <= rounds; round++ {
		var clients []*loadClient
		for number := range crashClients {
			clients = append(clients, newLoadClient(seed, round, number, users[number%crashWallets].ID))
		}
		superuserToken(t, server)
		moment := earliestCrash + time.Duration(random.Int64N(int64(latestCrash-earliestCrash)))
		crash := time.AfterFunc(moment, server.Kill)
		sent := runClients(bounded(t), server, clients)
		crash.Stop()
		history.add(sent...)
		server = testserver.StartAgain(t, server)

		counts := countFates(sent)
		history.check(t, auditBooks(t, server.Dir))
		replayed, done := retry(bounded(t), t, server, sent, random)
		t.Logf("round %d: killed after %s; %d acknowledged, %d refused, %d without an answer; "+
			"repeated after the restart: %d were there, %d were not",
			round, moment, counts[acknowledged], counts[refused], counts[unknown], replayed, done)
	}

	history.check(t, auditBooks(t, server.Dir))
	for _, user := range users {
		checkShownChain(t, ledgerOf(t, server, user.ID))
	}
	counts := countFates(history.operations)
	t.Logf("%d acknowledged operations checked after %d crashes (%d refused, %d without an answer)",
		counts[acknowledged], rounds, counts[refused], counts[unknown])
	if counts[acknowledged] < rounds*crashClients {
		t.Errorf("only %d operations were acknowledged in %d rounds: that tests nothing", counts[acknowledged], rounds)
	}
}

// retry sends again what a client with a key would: everything that was not
// answered, and some of what was. It returns how many the server remembered, and
// how many it did only now.
func retry(ctx context.Context, t *testing.T, server *testserver.Server, sent []*operation, random *rand.Rand) (replayed, fresh int) {
	t.Helper()
	var open, done []*operation
	for _, o := range sent {
		switch {
		case !o.repeatable():
		case o.fate == unknown:
			open = append(open, o)
		case o.fate == acknowledged:
			done = append(done, o)
		}
	}
	random.Shuffle(len(done), func(i, j int) { done[i], done[j] = done[j], done[i] })
	done = done[:min(len(done), retriesPerRound)]

	again := atOnce(crashClients, len(done), func(i int) *operation {
		repeated := *done[i]
		repeated.send(ctx, server)
		return &repeated
	})
	for i, second := range again {
		first := done[i].receipt
		if second.fate != acknowledged || !second.receipt.Replayed || second.receipt.Balance != first.Balance ||
			!reflect.DeepEqual(second.receipt.Entry, first.Entry) {
			t.Errorf("%s: the first answer was %+v, after the crash it is %d %+v", done[i].op.Description, first, second.status, second.receipt)
		}
	}
	atOnce(crashClients, len(open), func(i int) struct{} {
		open[i].send(ctx, server)
		return struct{}{}
	})
	for _, o := range open {
		switch {
		case o.fate == unknown:
			t.Errorf("%s: no answer after the restart", o.op.Description)
		case o.receipt.Replayed:
			replayed++
		default:
			fresh++
		}
	}
	return replayed + len(done), fresh
}

// history is everything that all clients ever sent.
type history struct {
	operations []*operation
}

func (h *history) add(operations ...*operation) {
	h.operations = append(h.operations, operations...)
}

// check holds what the clients know against what the books say.
func (h *history) check(t *testing.T, b *books) {
	t.Helper()
	found := map[string][]entryRow{}
	for _, entry := range b.entries {
		found[entry.description] = append(found[entry.description], entry)
	}
	for _, o := range h.operations {
		entries := found[o.op.Description]
		delete(found, o.op.Description)
		if least, most := o.fate.bounds(); len(entries) < least || len(entries) > most {
			t.Errorf("%s (status %d) has %d entries, want %d to %d", o.op.Description, o.status, len(entries), least, most)
			continue
		}
		for _, entry := range entries {
			if entry.eventType != o.kind || entry.amount != o.signedAmount() || entry.subjectID != o.op.UserID ||
				entry.idempotencyKey != o.op.IdempotencyKey || entry.externalEventID != o.op.ExternalEventID {
				t.Errorf("%+v became the entry %+v", o.op, entry)
			}
			if shown := o.receipt.Entry; o.fate == acknowledged && (shown.ID != entry.id || shown.Seq != entry.seq ||
				shown.AmountTokens != entry.amount || shown.Hash != entry.hash || o.receipt.Balance != entry.balanceAfter) {
				t.Errorf("%s was answered with %+v, the books say %+v", o.op.Description, o.receipt, entry)
			}
		}
	}
	for description := range found {
		t.Errorf("the ledger has an entry that nobody sent: %q", description)
	}
	if t.Failed() {
		t.FailNow()
	}
}

// bounds are how many entries an operation may have.
func (f fate) bounds() (least, most int) {
	switch f {
	case acknowledged:
		return 1, 1
	case refused:
		return 0, 0
	}
	return 0, 1
}

func countFates(operations []*operation) map[fate]int {
	counts := map[fate]int{}
	for _, o := range operations {
		counts[o.fate]++
	}
	return counts
}

func (f fate) String() string {
	return map[fate]string{unknown: "unknown", acknowledged: "acknowledged", refused: "refused"}[f]
}

func uintFromEnv(t *testing.T, name string, absent uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return absent
	}
	value, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s must be a whole number, not %q", name, text)
	}
	return value
}
