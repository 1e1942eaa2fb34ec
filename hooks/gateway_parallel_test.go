package hooks

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// crowd is a number of equal calls that are all under way before any is answered,
// on a wallet that pays for a few.
type crowd struct {
	path, body string
	in, out    int // tokens, as the provider counts them
}

const crowdCalls, crowdPaid = 120, 10

// crowds have the counts that providers really report for such bodies: Chinese has
// about a token a character, and an answer that is gone on from is read again.
func crowds() map[string]crowd {
	const context = 30_000
	chinese := strings.Repeat("今天天气很好我们去公园散步吧", 100) // 1,400 characters
	picture := "data:image/png;base64," + strings.Repeat("iVBORw0KGgo", 8_000)
	content := func(parts ...any) []map[string]any { return []map[string]any{{"role": "user", "content": parts}} }
	return map[string]crowd{
		"a word":  {"/v1/chat/completions", chat("max_tokens", completionTokens), promptTokens, completionTokens},
		"Chinese": {"/v1/chat/completions", chat("max_tokens", 10, "messages", content(map[string]any{"type": "text", "text": chinese})), 1_410, 10},
		"a picture": {"/v1/chat/completions", chat("max_tokens", 10, "messages",
			content(map[string]any{"type": "image_url", "image_url": map[string]any{"url": picture}})), 1_115, 10},
		"a picture for Anthropic": {"/v1/messages", chat("max_tokens", 10, "messages",
			content(map[string]any{"type": "image", "source": map[string]any{"type": "base64", "media_type": "image/png", "data": picture[22:]}})), 1_600, 10},
		"a bound of another endpoint": {"/v1/chat/completions",
			object("model", testModel, "max_output_tokens", 1, "messages", content(map[string]any{"type": "text", "text": "hi"})), 10, 4_000},
		"an answer that is gone on from": {"/v1/responses", question("previous_response_id", "resp_1"), context + 20, 16},
		"Chinese in responses":           {"/v1/responses", question("input", chinese), 1_410, 16},
	}
}

func (c crowd) charge() int64 { return int64(c.in)*tokensIn + int64(c.out)*tokensOut }

// answer is what every endpoint's meter can read.
func (c crowd) answer() string {
	return fmt.Sprintf(`{"id":"resp_2","choices":[],"content":[],"usage":{"prompt_tokens":%[1]d,"completion_tokens":%[2]d,"input_tokens":%[1]d,"output_tokens":%[2]d}}`, c.in, c.out)
}

// Never more calls are answered than the wallet pays for, however many come at once,
// and the books balance.
func TestParallelCallsDoNotOverdraw(t *testing.T) {
	for name, c := range crowds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

func (c crowd) run(t *testing.T) {
	g := newGatewayHouse(t, answerOf("resp_1", 29_000, 1_000))
	g.mint(g.alice, 100_000_000)
	g.post("/v1/responses", question()).want(200) // the answer that is gone on from
	before := g.settled()
	g.do("POST", "/api/wallet/adjust", g.asRoot(), object("userId", g.alice.Id, "amount", crowdPaid*c.charge()-before.balance, "description", "a test")).want(200)
	g.execute("UPDATE entitlements SET rate_limit_rpm = 1000000")
	g.server.entitlements.Clear()

	var answered, refused, waiting atomic.Int64
	g.up.become(func(w http.ResponseWriter, r *http.Request) {
		waiting.Add(1)
		for waiting.Load()+refused.Load() < crowdCalls && r.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		jsonAnswer(c.answer())(w, r)
	})
	var all sync.WaitGroup
	for range crowdCalls {
		all.Go(func() {
			switch got := g.post(c.path, c.body); got.outcome() {
			case "200":
				answered.Add(1)
			case "429 insufficient_quota":
				refused.Add(1)
			default:
				refused.Add(1)
				t.Errorf("%s: %s", got.outcome(), got.body)
			}
		})
	}
	all.Wait()
	s := g.settled()
	if answered.Load() > crowdPaid || answered.Load() == 0 {
		t.Errorf("%d calls were answered, and %d refused", answered.Load(), refused.Load())
	}
	if s.balance < 0 || s.held != 0 || s.balance != (crowdPaid-answered.Load())*c.charge() {
		t.Errorf("after %d answers of %d the books say %+v", answered.Load(), c.charge(), s)
	}
	if uses := g.count("usage_logs", "subject_id = {:id}", "id", g.alice.Id); int64(uses) != answered.Load()+1 {
		t.Errorf("%d uses for %d answers", uses, answered.Load())
	}
	if open := g.count("wallet_holds", "state = 'open'"); open != 0 {
		t.Errorf("%d holds are open", open)
	}
}

// The references of the gateway's holds are its own: at boot they are released.
func TestAHoldDoesNotLookLikeTheGateways(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	h.do("POST", "/api/wallet/holds", h.asRoot(), object("userId", h.alice.Id, "amount", 1, "reference", "gateway:req_1")).
		wantOutcome("400 invalid_request").names("reference")
	h.do("POST", "/api/wallet/holds", h.asRoot(), object("userId", h.alice.Id, "amount", 1, "reference", "my gateway:1")).want(201)
}
