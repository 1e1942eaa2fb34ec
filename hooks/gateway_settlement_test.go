package hooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
	"sokuji/internal/metering"
)

func TestAChatIsChargedByTheProvidersCounts(t *testing.T) {
	g := newGatewayHouse(t, completion)
	got := g.post("/v1/chat/completions", chat()).want(200)
	if got.text("choices.0.message.content") != "hi" || got.header.Get("x-sokuji-charged-tokens") != "240" {
		t.Errorf("the answer is %s, charged %s", got.body, got.header.Get("x-sokuji-charged-tokens"))
	}
	if !strings.HasPrefix(got.header.Get("x-request-id"), "req_") {
		t.Errorf("x-request-id is %q", got.header.Get("x-request-id"))
	}
	g.wantSettlement(settlement{holdState: "settled", entries: 1, charged: ordinaryCharge, settledBy: "provider"})

	usage := g.do("GET", "/api/wallet/usage?userId="+g.alice.Id, g.asRoot(), "").want(200)
	for path, want := range map[string]string{
		"provider": "openai", "model": testModel, "endpoint": "/v1/chat/completions", "responseId": "chatcmpl-1",
		"requestId": got.header.Get("x-request-id"), "metadata.upstream": "openai", "metadata.providerRequestId": "req_of_provider",
	} {
		if shown := usage.text("usage.0." + path); shown != want {
			t.Errorf("the usage row's %s is %q, want %q", path, shown, want)
		}
	}
	if usage.number("usage.0.status") != 200 || usage.number("usage.0.counts.in_text") != promptTokens || usage.text("usage.0.apiKeyId") == "" || usage.text("usage.0.priceId") == "" {
		t.Errorf("the usage row is %s", usage.body)
	}

	call := g.up.last(t)
	if call.path != "/v1/chat/completions" || call.header.Get("Authorization") != "Bearer "+providerKey {
		t.Errorf("the provider saw %s with %q", call.path, call.header.Get("Authorization"))
	}
	if string(call.body) != chat() {
		t.Errorf("the body changed from %s to %s", chat(), call.body)
	}
}

func TestAStreamIsChargedAndItsUsageHidden(t *testing.T) {
	g := newGatewayHouse(t, chunks(delta("he"), delta("llo"), usageChunk, done))
	stream := g.stream("/v1/chat/completions", chat("stream", true))
	got := stream.rest()
	if len(got) != 3 || got[2] != done || slices.ContainsFunc(got, func(data string) bool { return strings.Contains(data, "usage") }) {
		t.Errorf("the events are %q", got)
	}
	if !strings.Contains(string(g.up.last(t).body), `"stream_options":{"include_usage":true}`) {
		t.Errorf("the provider was not asked for the usage: %s", g.up.last(t).body)
	}
	g.wantSettlement(settlement{holdState: "settled", entries: 1, charged: ordinaryCharge, settledBy: "provider"})
}

// A client that asks for the usage gets it, and in our own event what it cost.
func TestAStreamShowsUsageWhenAsked(t *testing.T) {
	g := newGatewayHouse(t, chunks(delta("hello"), usageChunk, done))
	stream := g.stream("/v1/chat/completions", chat("stream", true, "stream_options", map[string]any{"include_usage": true}), "x-sokuji-usage", "event")
	got := stream.rest()
	want := []string{delta("hello"), usageChunk, `{"charged_tokens":240}`, done}
	if !slices.Equal(got, want) {
		t.Errorf("the events are %q, want %q", got, want)
	}
}

// settlementCase is a call that does not go as usual, and what is left of it.
type settlementCase struct {
	serve http.HandlerFunc
	body  string
	// during runs when the first event has come; nil only reads on.
	during func(*gatewayHouse)
	// leaves tells that the client goes away after the first event, and abandons that
	// it does so before there is anything.
	leaves, abandons bool

	status    int
	last      string // the code of an error in the last event, or its data
	holdState string
	settledBy string // empty: nothing is charged
	charged   int64
}

// gate holds a provider up until the test opens it.
type gate chan struct{}

func (g gate) then(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	select {
	case <-g:
		next(w, r)
	case <-r.Context().Done():
	}
}

const streamed = `"stream":true`

func streamChat() string { return chat("stream", true) }

// settlementCases are the table of docs/metering.md.
func settlementCases() map[string]settlementCase {
	exact := func(c settlementCase, tokens int64) settlementCase {
		c.charged = tokens
		return c
	}
	// counted is a call that costs our own count: of the question, and so many tokens
	// of the answer.
	counted := func(c settlementCase, answer int64) settlementCase {
		question := c.body
		if question == "" {
			question = chat()
		}
		c.holdState, c.charged = "settled", bodyTokens(question)*tokensIn+answer*tokensOut
		return c
	}
	partial := func(c settlementCase, answer int64) settlementCase {
		c.settledBy = "partial"
		return counted(c, answer)
	}
	withheld := make(gate) // of the client that leaves at the first byte
	afterward := make(gate)
	return map[string]settlementCase{
		"the provider fails before output": {
			serve:  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "secret of "+providerKey, 500) },
			status: 502, holdState: "released",
		},
		"the provider refuses the request": {
			serve: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(400)
				fmt.Fprint(w, `{"error":{"message":"too hot","code":"bad_temperature"}}`)
			},
			status: 400, last: "bad_temperature", holdState: "released",
		},
		"the provider closes before output": {serve: chunks("!cut"), body: streamChat(), status: 502, holdState: "released"},
		"the provider cuts a whole answer": {
			serve: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Content-Length", "1000")
				fmt.Fprint(w, `{"id":"chatcmpl-1"`)
				panic(http.ErrAbortHandler)
			},
			status: 502, holdState: "released",
		},
		"the provider cuts a stream":          partial(settlementCase{serve: chunks(delta("a"), delta("b"), "!cut"), body: streamChat(), status: 200, last: "provider_error"}, 2),
		"the provider cuts after the usage":   exact(settlementCase{serve: chunks(delta("a"), usageChunk, "!cut"), body: streamChat(), status: 200, last: "provider_error", holdState: "settled", settledBy: "provider"}, ordinaryCharge),
		"a stream without [DONE]":             exact(settlementCase{serve: chunks(delta("a"), usageChunk), body: streamChat(), status: 200, holdState: "settled", settledBy: "provider"}, ordinaryCharge),
		"a stream without usage":              counted(settlementCase{serve: chunks(delta("a"), done), body: streamChat(), status: 200, last: done, settledBy: "estimate"}, 1),
		"explicit zero usage":                 exact(settlementCase{serve: chunks(delta("a"), `{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}`, done), body: streamChat(), status: 200, last: done, holdState: "settled", settledBy: "provider"}, 0),
		"usage above the hold":                exact(settlementCase{serve: chunks(delta("a"), `{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5000,"total_tokens":5010}}`, done), body: streamChat(), status: 200, last: done, holdState: "settled", settledBy: "provider"}, 10*tokensIn+5000*tokensOut),
		"usage that nobody believes":          counted(settlementCase{serve: chunks(delta("a"), `{"choices":[],"usage":{"prompt_tokens":900000000,"completion_tokens":5,"total_tokens":900000005}}`, done), body: streamChat(), status: 200, last: done, settledBy: "estimate"}, 1),
		"the wallet is frozen mid-stream":     partial(settlementCase{body: streamChat(), status: 200, last: "wallet_frozen"}, 2),
		"the key is revoked mid-stream":       exact(settlementCase{status: 200, last: "invalid_api_key", holdState: "settled", settledBy: "provider"}, ordinaryCharge),
		"the key is revoked, and no usage":    partial(settlementCase{body: streamChat(), status: 200, last: "invalid_api_key"}, 51),
		"the server is drained mid-stream":    partial(settlementCase{serve: chunks(delta("a"), "!wait"), body: streamChat(), status: 200, last: "overloaded", during: func(g *gatewayHouse) { g.server.gateway.cut(errDraining) }}, 1),
		"the client leaves at the first byte": partial(settlementCase{serve: chunks(delta("a"), "!wait"), body: streamChat(), status: 200, leaves: true}, 1),
		"the client leaves, and the provider goes on": exact(settlementCase{serve: func(w http.ResponseWriter, r *http.Request) {
			chunks(delta("a"))(w, r)
			afterward.then(w, r, chunks(delta("b"), usageChunk, done))
		}, body: streamChat(), status: 200, leaves: true, during: func(*gatewayHouse) { close(afterward) }, holdState: "settled", settledBy: "provider"}, ordinaryCharge),
		"the client leaves a whole answer": partial(settlementCase{serve: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, abandons: true}, 0),
		"the client leaves after the usage": exact(settlementCase{serve: func(w http.ResponseWriter, r *http.Request) {
			chunks(delta("a"), usageChunk)(w, r)
			withheld.then(w, r, chunks(done))
		}, body: streamChat(), status: 200, leaves: true, during: func(*gatewayHouse) { close(withheld) }, holdState: "settled", settledBy: "provider"}, ordinaryCharge),
	}
}

func TestSettlement(t *testing.T) {
	midStream := map[string]func(*gatewayHouse){
		"the wallet is frozen mid-stream": func(g *gatewayHouse) {
			g.do("POST", "/api/wallet/freeze", g.asRoot(), object("userId", g.alice.Id, "reason", "a test")).want(200)
		},
		"the key is revoked mid-stream":    (*gatewayHouse).mustExecuteKeyDelete,
		"the key is revoked, and no usage": (*gatewayHouse).mustExecuteKeyDelete,
	}
	for name, c := range settlementCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proceed := make(gate)
			if during := midStream[name]; during != nil {
				rest := slices.Repeat([]string{delta("b")}, 50)
				if c.settledBy == "provider" {
					rest = append(rest, usageChunk, done)
				} else {
					rest = append(rest, "!wait")
				}
				c.body = streamChat()
				c.serve = func(w http.ResponseWriter, r *http.Request) {
					chunks(delta("a"))(w, r)
					proceed.then(w, r, chunks(rest...))
				}
				c.during = func(g *gatewayHouse) {
					during(g)
					close(proceed)
				}
			}
			g := newGatewayHouse(t, c.serve)
			g.server.gateway.renewInterval = 0 // each event shows that it may
			g.server.gateway.client.DrainTime = 50 * time.Millisecond
			if name == "the key is revoked, and no usage" {
				g.server.gateway.client.DrainTime = time.Second // all that was sent comes
			}
			if strings.Contains(name, "goes on") || strings.Contains(name, "after the usage") || name == "the key is revoked mid-stream" {
				g.server.gateway.client.DrainTime = time.Minute
			}
			g.runSettlement(c)
		})
	}
}

func (g *gatewayHouse) mustExecuteKeyDelete() {
	g.t.Helper()
	id := g.firstID("api_keys", "user = {:user}", "user", g.alice.Id)
	g.do("DELETE", "/api/collections/api_keys/records/"+id, g.asRoot(), "").want(204)
}

func (g *gatewayHouse) runSettlement(c settlementCase) {
	g.t.Helper()
	body := c.body
	if body == "" {
		body = chat()
	}
	ctx, leave := context.WithCancel(g.t.Context())
	defer leave()
	if c.abandons {
		go g.leaveWhenCalled(leave)
	}
	response, err := g.srv.Client().Do(g.request("POST", "/v1/chat/completions", bearer(g.key), body).WithContext(ctx))
	if c.abandons {
		g.wantBooks(c)
		return
	}
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != c.status {
		g.t.Fatalf("the status is %d, want %d", response.StatusCode, c.status)
	}
	stream := newLiveStream(g.t, response)
	var events []string
	if strings.Contains(body, streamed) && c.status == 200 {
		events = append(events, stream.next())
	}
	if c.leaves {
		leave()
	}
	if c.during != nil {
		c.during(g)
	}
	if !c.leaves {
		events = append(events, stream.rest()...)
		g.wantLast(c, events, stream)
	}
	g.wantBooks(c)
}

// leaveWhenCalled goes away when the provider has been called.
func (g *gatewayHouse) leaveWhenCalled(leave func()) {
	for g.up.count() == 0 {
		time.Sleep(time.Millisecond)
	}
	leave()
}

func (g *gatewayHouse) wantBooks(c settlementCase) {
	g.t.Helper()
	got := g.settled()
	if got.holdState != c.holdState || got.held != 0 || got.settledBy != c.settledBy {
		g.t.Errorf("the books say %+v, want a hold that is %s, by %q", got, c.holdState, c.settledBy)
	}
	if got.charged != c.charged || got.balance != 1_000_000-got.charged {
		g.t.Errorf("the books say %+v, want a charge of %d", got, c.charged)
	}
	if wantEntries := min(len(c.settledBy), 1); got.entries != wantEntries {
		g.t.Errorf("there are %d uses, want %d", got.entries, wantEntries)
	}
}

func (g *gatewayHouse) wantLast(c settlementCase, events []string, stream *liveStream) {
	g.t.Helper()
	if c.last == "" {
		return
	}
	if len(events) == 0 {
		if code := errorCode(stream.text()); code != c.last {
			g.t.Errorf("the error is %q, want %q", code, c.last)
		}
		return
	}
	last := events[len(events)-1]
	if last != c.last && errorCode(last) != c.last {
		g.t.Errorf("the last event is %q, want %s", last, c.last)
	}
}

// A stream that the wallet cannot pay for to its end is stopped with an error, and
// the debt is within the bound of docs/metering.md.
func TestTheBalanceRunsOutMidStream(t *testing.T) {
	long := slices.Repeat([]string{delta(strings.Repeat("word ", 100))}, 2000)
	g := newGatewayHouse(t, chunks(append(long, usageChunk, done)...))
	g.do("POST", "/api/wallet/adjust", g.asRoot(), object("userId", g.alice.Id, "amount", -900_000, "description", "a test")).want(200)
	events := g.stream("/v1/chat/completions", chat("stream", true, "max_tokens", 1_000_000)).rest()
	last := events[len(events)-1]
	if errorCode(last) != "insufficient_quota" || len(events) >= len(long) {
		t.Fatalf("after %d events came %s", len(events), last)
	}
	got := g.settled()
	if got.settledBy != "partial" || got.holdState != "settled" || got.balance != 100_000-got.charged {
		t.Errorf("the books say %+v", got)
	}
	if got.balance < -streamStepTokens*tokensOut {
		t.Errorf("the wallet owes %d, more than a step", -got.balance)
	}
}

func TestAnEmptyWalletIsRefusedBeforeTheProviderHearsOfIt(t *testing.T) {
	g := newGatewayHouse(t, completion)
	g.do("POST", "/api/wallet/adjust", g.asRoot(), object("userId", g.alice.Id, "amount", -1_000_000, "description", "a test")).want(200)
	got := g.post("/v1/chat/completions", chat()).wantOutcome("429 insufficient_quota")
	if got.header.Get("x-should-retry") != "false" || got.text("error.type") != "insufficient_quota" {
		t.Errorf("the SDK would try again: %v %s", got.header, got.body)
	}
	g.do("POST", "/api/wallet/freeze", g.asRoot(), object("userId", g.alice.Id, "reason", "a test")).want(200)
	got = g.post("/v1/chat/completions", chat()).wantOutcome("403 wallet_frozen")
	if got.text("error.type") != "permission_error" {
		t.Errorf("the error is %s", got.body)
	}
	if g.up.count() != 0 {
		t.Errorf("the provider was called %d times", g.up.count())
	}
}

// A panic of ours leaves no open hold and no free answer.
func TestAPanicClosesTheBill(t *testing.T) {
	t.Run("before the provider is called", func(t *testing.T) {
		g := newGatewayHouse(t, completion)
		g.server.gateway.client = nil
		g.post("/v1/chat/completions", chat()).wantOutcome("500 internal_error")
		g.wantSettlement(settlement{holdState: "released"})
	})
	t.Run("in a stream", func(t *testing.T) {
		g := newGatewayHouse(t, chunks(delta("a"), delta("b"), usageChunk, done))
		response := &panickingWriter{ResponseRecorder: httptest.NewRecorder()}
		e := &core.RequestEvent{App: g.app}
		e.Request, e.Response = g.request("POST", "/v1/chat/completions", nobody, streamChat()), response
		e.Set(callerStoreKey, caller{kind: user, userID: g.alice.Id})
		err := g.server.gatewayAnswer(e, gatewayRouteOf(metering.ChatCompletions))
		if !errors.Is(err, errBrokenOff) || strings.Contains(response.Body.String(), done) {
			t.Errorf("the client takes %q for the whole answer: %v", response.Body, err)
		}
		if got := g.settled(); got.held != 0 || got.settledBy != "partial" || got.charged != bodyTokens(streamChat())*tokensIn+2*tokensOut {
			t.Errorf("the books say %+v", got)
		}
	})
}

// panickingWriter panics at the second piece that it is given.
type panickingWriter struct {
	*httptest.ResponseRecorder
	pieces int
}

func (w *panickingWriter) Write(piece []byte) (int, error) {
	if w.pieces++; w.pieces == 2 {
		panic("a test")
	}
	return w.ResponseRecorder.Write(piece)
}

func (w *panickingWriter) Written() bool { return w.pieces > 0 }

// When the ledger has no room for a settlement, the client does not get the end,
// and the open hold is the record; the next start releases it.
func TestASettlementThatTheLedgerRefuses(t *testing.T) {
	t.Parallel()
	proceed := make(gate)
	g := newGatewayHouse(t, func(w http.ResponseWriter, r *http.Request) {
		chunks(delta("a"))(w, r)
		proceed.then(w, r, chunks(usageChunk, done))
	})
	stream := g.stream("/v1/chat/completions", streamChat(), idempotencyKey, "one")
	stream.next()
	g.server.ledger.Close() // refuses everything as overloaded from here on
	close(proceed)
	events := stream.rest()
	if len(events) != 1 || errorCode(events[0]) != "overloaded" {
		t.Fatalf("the client got %q", events)
	}
	if open, uses := g.count("wallet_holds", "state = 'open' AND reference LIKE 'gateway:%'"), g.count("usage_logs", "TRUE"); open != 1 || uses != 0 {
		t.Errorf("%d holds are open, %d uses are there", open, uses)
	}
	holds, err := g.server.store.OpenHoldsNamed(t.Context(), gatewayReference)
	if err != nil || len(holds) != 1 || holds[0].Subject.ID != g.alice.Id {
		t.Errorf("the next start finds %v, %v", holds, err)
	}
}

// streamOnHold is a stream whose first event has come, and the gateway's open hold;
// proceed lets the provider go on to its end.
func streamOnHold(t *testing.T) (g *gatewayHouse, stream *liveStream, hold string, proceed gate) {
	t.Helper()
	proceed = make(gate)
	g = newGatewayHouse(t, func(w http.ResponseWriter, r *http.Request) {
		chunks(delta("a"))(w, r)
		proceed.then(w, r, chunks(usageChunk, done))
	})
	stream = g.stream("/v1/chat/completions", streamChat(), idempotencyKey, "one")
	stream.next()
	return g, stream, g.firstID("wallet_holds", "state = 'open'"), proceed
}

// A key of the wallet's own may close holds, but not the one that a call is paid
// from: the call would be free.
func TestAClientCannotTakeTheGatewaysHoldAway(t *testing.T) {
	for verb, body := range map[string]string{
		"release": "", "settle": object("amount", 0), "extend": object("expiresInSeconds", 1),
	} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			g, stream, hold, proceed := streamOnHold(t)
			key := bearer(g.house.key(apikeys.ScopeWalletCharge))
			path := "/api/wallet/holds/" + hold + "/" + verb
			g.do("POST", path, key, body).wantOutcome("403 forbidden").names("id")
			g.do("POST", path, g.keyOf(g.bob, apikeys.ScopeWalletCharge), body).wantOutcome("404 hold_not_found")
			close(proceed)
			stream.rest()
			g.wantSettlement(settlement{holdState: "settled", entries: 1, charged: ordinaryCharge, settledBy: "provider"})
			g.do("POST", path, key, body).wantOutcome("403 forbidden")
		})
	}
}

// What the ledger had no room for an operator settles by hand.
func TestASuperuserClosesAHoldOfTheGateways(t *testing.T) {
	t.Parallel()
	g, stream, hold, proceed := streamOnHold(t)
	g.do("POST", "/api/wallet/holds/"+hold+"/extend", g.asRoot(), object("expiresInSeconds", 3600)).want(200)
	g.do("POST", "/api/wallet/holds/"+hold+"/settle", g.asRoot(), object("amount", 7)).want(200)
	close(proceed)
	stream.rest()
	if got := g.settlement(); got.held != 0 || got.entries != 1 || got.charged != 7 {
		t.Errorf("the books say %+v", got)
	}
}
