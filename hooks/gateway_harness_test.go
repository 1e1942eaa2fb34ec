package hooks

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"sokuji/internal/apikeys"
)

const providerKey = "sk-canary-provider-key"

// upstream is a provider that does what a test says.
type upstream struct {
	*httptest.Server
	mutex sync.Mutex
	serve http.HandlerFunc
	calls []upstreamCall
}

type upstreamCall struct {
	path   string
	header http.Header
	body   []byte
}

func newUpstream(t *testing.T, serve http.HandlerFunc) *upstream {
	u := &upstream{serve: serve}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a test that needs it looks at it
		u.mutex.Lock()
		u.calls = append(u.calls, upstreamCall{r.URL.Path, r.Header.Clone(), body})
		serve := u.serve
		u.mutex.Unlock()
		serve(w, r)
	}))
	t.Cleanup(u.Close)
	return u
}

// become makes the provider do something else from now on.
func (u *upstream) become(serve http.HandlerFunc) {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	u.serve = serve
}

func (u *upstream) last(t *testing.T) upstreamCall {
	t.Helper()
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if len(u.calls) == 0 {
		t.Fatal("the provider was not called")
	}
	return u.calls[len(u.calls)-1]
}

func (u *upstream) count() int {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	return len(u.calls)
}

// The rates of the tests' models: a prompt token costs 12 wallet tokens, a token of
// the answer 24, at the default margin and token value.
const (
	testModel               = "test-model"
	tokensIn, tokensOut     = 12, 24
	testInRate, testOutRate = 100_000_000, 200_000_000
	promptTokens            = 10
	completionTokens        = 5
	ordinaryCharge          = promptTokens*tokensIn + completionTokens*tokensOut
)

// gatewayHouse is a house with a provider, a priced model, and alice with tokens
// and a key.
type gatewayHouse struct {
	*house
	up  *upstream
	key string
}

func newGatewayHouse(t *testing.T, serve http.HandlerFunc, settings ...string) *gatewayHouse {
	t.Helper()
	up := newUpstream(t, serve)
	h := newHouse(t, append([]string{
		"OPENAI_API_KEY", providerKey, "OPENAI_BASE_URL", up.URL + "/v1",
		"ANTHROPIC_API_KEY", providerKey, "ANTHROPIC_BASE_URL", up.URL,
		"GATEWAY_ALLOW_PRIVATE", "true",
	}, settings...)...)
	g := &gatewayHouse{house: h, up: up}
	for _, provider := range []string{"openai", "anthropic"} {
		g.priceFor(provider, testModel)
	}
	h.mint(h.alice, 1_000_000)
	g.key = h.key(apikeys.ScopeGateway)
	return g
}

func (g *gatewayHouse) priceFor(provider, model string, more ...any) {
	g.t.Helper()
	g.do("POST", "/api/collections/prices/records", g.asRoot(), object(append([]any{
		"provider", provider, "model", model, "in_text", testInRate, "out_text", testOutRate,
	}, more...)...)).want(200)
}

// chat is the body of a call; more pairs are added to it.
func chat(more ...any) string {
	return object(append([]any{
		"model", testModel, "max_tokens", 100, "messages", []map[string]any{{"role": "user", "content": "hello"}},
	}, more...)...)
}

func (g *gatewayHouse) post(path, body string, headers ...string) answer {
	g.t.Helper()
	return g.do("POST", path, bearer(g.key), body, headers...)
}

// completion answers as chat/completions does, whole or in events.
func completion(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("x-request-id", "req_of_provider")
	fmt.Fprintf(w, `{"id":"chatcmpl-1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}],`+
		`"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}}`, promptTokens, completionTokens, promptTokens+completionTokens)
}

// chunks answers with a stream: each text is the data of one event, flushed before
// the next. A text that begins with ! is an order: !cut ends the connection, !wait
// waits until the caller goes.
func chunks(texts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, text := range texts {
			switch text {
			case "!cut":
				panic(http.ErrAbortHandler)
			case "!wait":
				<-r.Context().Done()
				return
			}
			fmt.Fprintf(w, "data: %s\n\n", text)
			http.NewResponseController(w).Flush()
		}
	}
}

func delta(text string) string {
	return `{"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"` + text + `"}}],"usage":null}`
}

const (
	done       = "[DONE]"
	usageChunk = `{"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`
)

// settlement is what is in the books after one call.
type settlement struct {
	balance, held int64
	holdState     string // of the newest hold, empty: there is none
	entries       int    // uses in the ledger
	charged       int64  // by the newest use
	settledBy     string // of the newest usage row
}

func (g *gatewayHouse) settlement() settlement {
	g.t.Helper()
	balance := g.do("GET", "/api/wallet/balance?userId="+g.alice.Id, g.asRoot(), "").want(200)
	s := settlement{balance: balance.number("balance"), held: balance.number("held")}
	holds := g.do("GET", "/api/wallet/holds?userId="+g.alice.Id, g.asRoot(), "").want(200)
	if holds.length("holds") > 0 {
		s.holdState = holds.text("holds.0.state")
	}
	usage := g.do("GET", "/api/wallet/usage?userId="+g.alice.Id, g.asRoot(), "").want(200)
	s.entries = usage.length("usage")
	if s.entries > 0 {
		s.charged, s.settledBy = usage.number("usage.0.chargedTokens"), usage.text("usage.0.settledBy")
	}
	return s
}

// settled waits until no hold is open: a client that went away does not see it.
func (g *gatewayHouse) settled() settlement {
	g.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if g.settlement().holdState != "open" || time.Now().After(deadline) {
			return g.settlement() // once more, because the first look takes its time
		}
	}
}

// wantSettlement compares the books, and that they add up.
func (g *gatewayHouse) wantSettlement(want settlement) {
	g.t.Helper()
	want.balance = 1_000_000 - want.charged
	if got := g.settled(); got != want {
		g.t.Errorf("the books say %+v, want %+v", got, want)
	}
}

// liveStream is a stream that a test reads as it comes.
type liveStream struct {
	t        *testing.T
	response *http.Response
	lines    *bufio.Scanner
	seen     string
}

func (g *gatewayHouse) stream(path, body string, headers ...string) *liveStream {
	g.t.Helper()
	response, err := g.srv.Client().Do(g.request("POST", path, bearer(g.key), body, headers...))
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { response.Body.Close() })
	return newLiveStream(g.t, response)
}

func newLiveStream(t *testing.T, response *http.Response) *liveStream {
	return &liveStream{t: t, response: response, lines: bufio.NewScanner(response.Body)}
}

// text is the rest of an answer that is no stream.
func (l *liveStream) text() string { return l.seen }

// next is the data of the next event, or "" at the end.
func (l *liveStream) next() string {
	for l.lines.Scan() {
		l.seen += l.lines.Text()
		if data, ok := strings.CutPrefix(l.lines.Text(), "data: "); ok {
			return data
		}
	}
	return ""
}

// rest is the data of all events to come.
func (l *liveStream) rest() (all []string) {
	for data := l.next(); data != ""; data = l.next() {
		all = append(all, data)
	}
	return all
}

func errorCode(data string) string {
	var said struct {
		Error struct{ Code string }
	}
	_ = json.Unmarshal([]byte(data), &said) // what is no error has no code
	return said.Error.Code
}
