package e2e

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"sokuji/e2e/testserver"
)

const (
	roundsVariable = "SOKUJI_CRASH_ROUNDS"
	seedVariable   = "SOKUJI_SEED"

	defaultCrashRounds = 8
	crashClients       = 16
	crashWallets       = 4         // each is shared by clients, so that batches mix them
	openingTokens      = 2_000_000 // enough that most uses are allowed
	// The crash comes at a random moment after the load has begun.
	earliestCrash, latestCrash = 100 * time.Millisecond, 900 * time.Millisecond
	// retriesPerRound bounds how many acknowledged operations are sent again.
	retriesPerRound = 200
	// Every so many rounds the server stays down until every short hold is over, so
	// that its start has to expire them.
	roundsPerPause = 4
	// expiryDelay is how late a hold may be expired, also after a crash.
	expiryDelay = 5 * time.Second
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

	overdue := 0 // short holds that a crashed server left open beyond their time
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
		server.Kill() // waits until the process is gone: its clients notice earlier
		history.add(sent...)
		if round%roundsPerPause == 1 {
			time.Sleep(shortHoldSeconds * time.Second)
		}
		overdue += len(openHoldsUntil(t, server.Dir, time.Now()))
		server = testserver.StartAgain(t, server)
		started := time.Now()

		counts := countFates(sent)
		history.check(t, auditBooks(t, server.Dir))
		replayed, done := retry(bounded(t), t, server, sent, random)
		awaitExpiries(t, server.Dir, started)
		verifyBooks(t, server)
		t.Logf("round %d: killed after %s; %d acknowledged, %d refused, %d without an answer; "+
			"repeated after the restart: %d were there, %d were not",
			round, moment, counts[acknowledged], counts[refused], counts[unknown], replayed, done)
	}

	history.check(t, auditBooks(t, server.Dir))
	for _, user := range users {
		checkShownChain(t, ledgerOf(t, server, user.ID))
	}
	counts := countFates(history.operations)
	t.Logf("%d acknowledged operations checked after %d crashes (%d refused, %d without an answer); by kind: %v; "+
		"%d holds were over before a restart", counts[acknowledged], rounds, counts[refused], counts[unknown],
		countKinds(history.operations), overdue)
	if counts[acknowledged] < rounds*crashClients {
		t.Errorf("only %d operations were acknowledged in %d rounds: that tests nothing", counts[acknowledged], rounds)
	}
	if overdue == 0 {
		t.Error("no hold was over before a restart: that tests no expiry")
	}
	for kind, count := range countKinds(history.operations) {
		if count == 0 {
			t.Errorf("no %s was acknowledged: that tests none", kind)
		}
	}
}

// openHoldsUntil are the ids of the holds that are open although their deadline
// is not after a moment.
func openHoldsUntil(t *testing.T, dir string, moment time.Time) []string {
	t.Helper()
	db := openDatabase(t, dir)
	defer db.Close()
	rows, err := db.QueryContext(bounded(t), `SELECT id FROM wallet_holds WHERE state = 'open' AND expires_at <= ?`,
		moment.UTC().Format(storedLayout))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return ids
}

// awaitExpiries returns when no hold is open that was over when the server had
// started, and fails the test when that takes too long.
func awaitExpiries(t *testing.T, dir string, started time.Time) {
	t.Helper()
	for {
		late := openHoldsUntil(t, dir, started)
		if len(late) == 0 {
			return
		}
		if time.Since(started) > expiryDelay {
			t.Fatalf("%d holds are still open %s after the restart, %s for one", len(late), expiryDelay, late[0])
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// verifyBooks lets the server's own proof run beside it, which must find nothing.
func verifyBooks(t *testing.T, server *testserver.Server) {
	t.Helper()
	options := testserver.Options{Dir: server.Dir}
	output, exitCode, err := testserver.Run(bounded(t), options, "ledger", "verify")
	if err != nil || exitCode != 0 || !strings.Contains(output, "sound: ") {
		t.Fatalf("ledger verify ended with exit code %d, %v\n%s", exitCode, err, output)
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

	repeatAnswered(ctx, t, server, done)
	replayed, fresh = repeatOpen(ctx, t, server, open)
	return replayed + len(done), fresh
}

// repeatAnswered sends acknowledged operations again, which must be answered as
// the first time.
func repeatAnswered(ctx context.Context, t *testing.T, server *testserver.Server, done []*operation) {
	t.Helper()
	again := atOnce(crashClients, len(done), func(i int) *operation {
		repeated := *done[i]
		repeated.send(ctx, server)
		return &repeated
	})
	for i, second := range again {
		first := done[i]
		// Whether a result is the first one is what the two may differ in.
		receipt, opened := first.receipt, first.opened
		receipt.Replayed, opened.Replayed = second.receipt.Replayed, second.opened.Replayed
		if second.fate != acknowledged || !second.receipt.Replayed || !reflect.DeepEqual(second.receipt, receipt) ||
			second.opened != opened || !reflect.DeepEqual(second.results, first.results) {
			t.Errorf("%s %s: the first answer was %+v %+v %+v, the repetition's is %v %+v %+v %+v", first.kind, first.op.Description,
				first.receipt, first.opened, first.results, second.err, second.receipt, second.opened, second.results)
		}
	}
}

// repeatOpen sends again what nobody knows the fate of, which settles it.
func repeatOpen(ctx context.Context, t *testing.T, server *testserver.Server, open []*operation) (replayed, fresh int) {
	t.Helper()
	atOnce(crashClients, len(open), func(i int) struct{} {
		open[i].send(ctx, server)
		return struct{}{}
	})
	for _, o := range open {
		switch {
		case o.fate == unknown:
			t.Errorf("%s: no answer to the repetition", o.op.Description)
		case o.fate == refused && !o.mayBeTooLate():
			t.Errorf("%s %s: the repetition was refused: %v", o.kind, o.op.Description, o.err)
		case o.receipt.Replayed:
			replayed++
		default:
			fresh++
		}
	}
	return replayed, fresh
}

// mayBeTooLate tells whether the time since its first sending, or what others did
// in it, may rightly have made the operation impossible.
func (o *operation) mayBeTooLate() bool {
	switch o.kind {
	case "extend", "release": // the hold has expired
		return o.status == http.StatusConflict
	case "refund": // another refund of the same mint came first
		return o.status == http.StatusConflict
	case "mint":
		return o.op.ExpiresAt != "" && o.status == http.StatusBadRequest
	}
	return false
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
	h.checkEntries(t, b)
	h.checkHolds(t, b)
	h.checkRequests(t, b)
	if t.Failed() {
		t.FailNow()
	}
}

func (h *history) checkEntries(t *testing.T, b *books) {
	t.Helper()
	found := map[string][]entryRow{}
	for _, entry := range b.entries {
		if entry.referenceType != "grant" { // grants expire by themselves
			found[entry.description] = append(found[entry.description], entry)
		}
	}
	for _, o := range h.operations {
		for _, p := range o.postings() {
			entries := found[p.description]
			delete(found, p.description)
			if len(entries) < p.least || len(entries) > p.most {
				t.Errorf("%s %s (status %d) has %d entries, want %d to %d", o.kind, p.description, o.status, len(entries), p.least, p.most)
				continue
			}
			for _, entry := range entries {
				if entry.subjectID != o.op.UserID || !p.is(entry) {
					t.Errorf("%s %+v became the entry %+v", o.kind, p, entry)
				}
			}
		}
	}
	for description := range found {
		t.Errorf("the ledger has an entry that nobody sent: %q", description)
	}
}

// is tells whether an entry is what was sent, and what the client was shown.
func (p posting) is(entry entryRow) bool {
	if entry.eventType != p.eventType || entry.amount != p.amount || entry.idempotencyKey != p.key || entry.externalEventID != p.event {
		return false
	}
	if p.shown == nil {
		return true
	}
	shown := p.shown.Entry
	return shown.ID == entry.id && shown.Seq == entry.seq && shown.AmountTokens == entry.amount &&
		shown.Hash == entry.hash && p.shown.Balance == entry.balanceAfter
}

// checkHolds: every hold that a client was told of is there once, in a state that
// what was done with it leads to.
func (h *history) checkHolds(t *testing.T, b *books) {
	t.Helper()
	byReference := map[string][]string{}
	for id, hold := range b.holds {
		byReference[hold.reference] = append(byReference[hold.reference], id)
	}
	closed := map[string]*operation{} // acknowledged settles and releases by hold
	added := map[string][2]int64{}    // tokens by hold that extends added, at least and at most
	for _, o := range h.operations {
		switch least, most := o.fate.bounds(); o.kind {
		case "hold":
			ids := byReference[o.op.Description]
			delete(byReference, o.op.Description)
			if len(ids) < least || len(ids) > most || (o.fate == acknowledged && ids[0] != o.opened.Hold.ID) {
				t.Errorf("%s (status %d, %+v) opened the holds %v, want %d to %d", o.op.Description, o.status, o.opened.Hold, ids, least, most)
			}
		case "extend":
			sum := added[o.hold.HoldID]
			added[o.hold.HoldID] = [2]int64{sum[0] + int64(least)*o.op.Amount, sum[1] + int64(most)*o.op.Amount}
		case "settle", "release":
			if o.fate == acknowledged {
				closed[o.hold.HoldID] = o
			}
		}
	}
	for reference := range byReference {
		t.Errorf("there is a hold that nobody opened: %q", reference)
	}
	for _, o := range h.operations {
		if o.kind != "hold" || o.fate != acknowledged {
			continue
		}
		row, end, sum := b.holds[o.opened.Hold.ID], closed[o.opened.Hold.ID], added[o.opened.Hold.ID]
		if more := row.amount - o.op.Amount; row.subjectID != o.op.UserID || more < sum[0] || more > sum[1] {
			t.Errorf("%s reserved %d and was extended by %v; the books say %+v", o.op.Description, o.op.Amount, sum, row)
		}
		if end == nil {
			continue
		}
		settled := end.kind == "settle" && row.state == "settled" && row.ledgerID == end.receipt.Entry.ID
		released := end.kind == "release" && row.state == "released"
		if !settled && !released {
			t.Errorf("the %s of %s was acknowledged; the books say %+v", end.kind, o.op.Description, row)
		}
	}
}

// checkRequests: the key of an operation that happened is remembered once, and no
// other is.
func (h *history) checkRequests(t *testing.T, b *books) {
	t.Helper()
	type request struct{ subjectID, kind, key string }
	found := map[request]int{}
	for _, row := range b.requests {
		found[request{row.subjectID, row.kind, row.key}]++
	}
	for _, o := range h.operations {
		if o.op.IdempotencyKey == "" {
			continue
		}
		key := request{o.op.UserID, o.kind, o.op.IdempotencyKey}
		if least, most := o.fate.bounds(); found[key] < least || found[key] > most {
			t.Errorf("%+v (status %d) is remembered %d times, want %d to %d", key, o.status, found[key], least, most)
		}
	}
}

// countKinds counts the acknowledged operations of each kind, also of kinds that
// have none.
func countKinds(operations []*operation) map[string]int {
	counts := map[string]int{
		"mint": 0, "use": 0, "refund": 0, "batch": 0, "hold": 0, "extend": 0, "settle": 0, "release": 0,
	}
	for _, o := range operations {
		if o.fate == acknowledged {
			counts[o.kind]++
		}
	}
	return counts
}

func countFates(operations []*operation) map[fate]int {
	counts := map[fate]int{}
	for _, o := range operations {
		counts[o.fate]++
	}
	return counts
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
