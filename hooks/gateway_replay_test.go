package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sokuji/internal/apikeys"
)

const idempotencyKey = "Idempotency-Key"

func TestARepeatedCallIsAnsweredAndChargedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		body  string
	}{
		"whole":     {completion, chat()},
		"in events": {chunks(delta("hello"), usageChunk, done), streamChat()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGatewayHouse(t, c.serve)
			first := g.post("/v1/chat/completions", c.body, idempotencyKey, "one").want(200)
			second := g.post("/v1/chat/completions", c.body, idempotencyKey, "one").want(200)
			if string(first.body) != string(second.body) || first.header.Get("Content-Type") != second.header.Get("Content-Type") {
				t.Errorf("the second answer is %s (%s), want %s", second.body, second.header.Get("Content-Type"), first.body)
			}
			if second.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" {
				t.Error("the second answer does not say that it is one, or the first does")
			}
			g.wantSettlement(settlement{holdState: "settled", entries: 1, charged: ordinaryCharge, settledBy: "provider"})
			if g.up.count() != 1 {
				t.Errorf("the provider was called %d times", g.up.count())
			}
			g.post("/v1/chat/completions", chat("temperature", 1), idempotencyKey, "one").wantOutcome("409 idempotency_mismatch")
			g.post("/v1/chat/completions", c.body, idempotencyKey, "two").want(200)
			if g.settlement().entries != 2 {
				t.Error("another key is not another call")
			}
		})
	}
}

// A key whose answer is no longer kept was charged all the same.
func TestAKeyIsNeverUsedForASecondAnswer(t *testing.T) {
	g := newGatewayHouse(t, completion)
	g.post("/v1/chat/completions", chat(), idempotencyKey, "one").want(200)
	g.server.gateway.replays = newReplays(time.Now) // as after a restart
	got := g.post("/v1/chat/completions", chat(), idempotencyKey, "one").wantOutcome("409 idempotency_key_reused")
	if got.header.Get("x-should-retry") != "false" {
		t.Error("the SDK would try again")
	}
	if g.up.count() != 1 || g.settlement().entries != 1 {
		t.Errorf("the provider was called %d times, and %d uses are there", g.up.count(), g.settlement().entries)
	}
	// an answer that was cut is not kept
	g.up.become(chunks(delta("a"), "!cut"))
	g.stream("/v1/chat/completions", streamChat(), idempotencyKey, "cut").rest()
	g.post("/v1/chat/completions", streamChat(), idempotencyKey, "cut").wantOutcome("409 idempotency_key_reused")
}

// A call that was not charged may be tried again with its key.
func TestAFailedCallFreesItsKey(t *testing.T) {
	g := newGatewayHouse(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	g.post("/v1/chat/completions", chat(), idempotencyKey, "one").wantOutcome("502 provider_error")
	g.up.become(completion)
	g.post("/v1/chat/completions", chat(), idempotencyKey, "one").want(200)
	g.wantSettlement(settlement{holdState: "settled", entries: 1, charged: ordinaryCharge, settledBy: "provider"})
}

// A client that numbers its requests is charged once for each, too; the same number
// with another body is another call.
func TestANumberedRequestIsChargedOnce(t *testing.T) {
	g := newGatewayHouse(t, completion)
	for range 2 {
		g.post("/v1/chat/completions", chat(), clientRequestHeader, "42").want(200)
	}
	if g.up.count() != 1 || g.settlement().entries != 1 {
		t.Errorf("the provider was called %d times, and %d uses are there", g.up.count(), g.settlement().entries)
	}
	g.post("/v1/chat/completions", chat("temperature", 1), clientRequestHeader, "42").want(200)
	if g.up.count() != 2 || g.settlement().entries != 2 {
		t.Errorf("the provider was called %d times, and %d uses are there", g.up.count(), g.settlement().entries)
	}
	g.post("/v1/chat/completions", chat(), idempotencyKey, strings.Repeat("x", maxGatewayKeyBytes+1)).wantOutcome("400 invalid_request").names(idempotencyKey)
}

// While a call runs, its repetition waits for it.
func TestARepetitionWaitsForTheFirst(t *testing.T) {
	proceed, started := make(gate), make(chan struct{}, 8)
	g := newGatewayHouse(t, func(w http.ResponseWriter, r *http.Request) {
		started <- struct{}{}
		proceed.then(w, r, completion)
	})
	var answers sync.WaitGroup
	for range 4 {
		answers.Go(func() {
			if got := g.post("/v1/chat/completions", chat(), idempotencyKey, "one"); got.status != 200 {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	<-started
	close(proceed)
	answers.Wait()
	if g.up.count() != 1 || g.settlement().entries != 1 {
		t.Errorf("the provider was called %d times, and %d uses are there", g.up.count(), g.settlement().entries)
	}
}

// Keys of one user are nothing to another.
func TestKeysBelongToAWallet(t *testing.T) {
	g := newGatewayHouse(t, completion)
	g.mint(g.bob, 1000_000)
	g.post("/v1/chat/completions", chat(), idempotencyKey, "one").want(200)
	got := g.do("POST", "/v1/chat/completions", g.asBob(), chat(), idempotencyKey, "one").want(200)
	if got.header.Get("Idempotent-Replayed") != "" || g.up.count() != 2 {
		t.Error("bob got alice's answer")
	}
}

func TestReplaysForget(t *testing.T) {
	now := time.Unix(0, 0)
	kept := newReplays(func() time.Time { return now })
	put := func(name string, bytes int) {
		t.Helper()
		mine, other := kept.begin(name, sha256.Sum256(nil))
		if mine == nil || other != nil {
			t.Fatalf("%s is there already", name)
		}
		kept.settled(mine, &keptAnswer{body: make([]byte, bytes)})
	}
	known := func(name string) bool {
		mine, other := kept.begin(name, sha256.Sum256(nil))
		if mine != nil {
			kept.abandoned(mine)
		}
		return other != nil
	}
	put("old", 10)
	now = now.Add(keptFor / 2)
	put("new", 10)
	if !known("old") || !known("new") {
		t.Fatal("an answer is gone before its time")
	}
	now = now.Add(keptFor / 2)
	if known("old") || !known("new") {
		t.Error("the old one stays, or the new one is gone")
	}
	for _, name := range strings.Split("abcdefghij", "") {
		put(name, maxKeptBytes/8)
	}
	if kept.bytes > maxKeptBytes || known("new") || known("a") || !known("j") {
		t.Errorf("%d bytes are kept", kept.bytes)
	}
}

// A client that settles a hold of its own under the key that the gateway will settle
// the call under would have the call for nothing.
func TestAClientCannotTakeTheGatewaysKeyFirst(t *testing.T) {
	t.Parallel()
	g, stream, _, proceed := streamOnHold(t)
	key := bearer(g.house.key(apikeys.ScopeWalletCharge))
	own := g.do("POST", "/api/wallet/holds", key, object("amount", 1)).want(201).text("hold.id")
	sum := sha256.Sum256([]byte("one"))
	taken := gatewayReference + "chat/completions:" + hex.EncodeToString(sum[:])
	g.do("POST", "/api/wallet/holds/"+own+"/settle", key, object("amount", 0), idempotencyKey, taken).
		wantOutcome("400 invalid_request").names(idempotencyKey)
	g.do("POST", "/api/wallet/holds/"+own+"/release", key, "", idempotencyKey, taken).want(200)
	g.do("POST", "/api/wallet/use/batch", key, object("uses", []any{map[string]any{"amount": 1, "idempotencyKey": taken}})).want(200)
	close(proceed)
	stream.rest()
	if got := g.settled(); got.charged != ordinaryCharge || got.held != 0 || got.entries != 2 {
		t.Errorf("the books say %+v", got)
	}
	if count := g.count("wallet_requests", "kind = 'settle' AND idempotency_key = {:key}", "key", taken); count != 1 {
		t.Errorf("%d settlements have the gateway's key", count)
	}
}
