package hooks

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
	"sokuji/internal/ledger/ledgertest"
)

// limited is a gateway whose buckets follow a clock of the test's.
type limited struct {
	*gatewayHouse
	clock *ledgertest.Clock
}

func newLimited(t *testing.T, serve http.HandlerFunc) limited {
	t.Helper()
	g := newGatewayHouse(t, serve)
	clock := ledgertest.NewClock()
	g.server.callLimits.now = clock.Now
	return limited{g, clock}
}

// plan edits alice's entitlement in the dashboard.
func (h *house) plan(pairs ...any) answer {
	h.t.Helper()
	id := h.firstID(entitlementsCollection, "subject_id = {:id}", "id", h.alice.Id)
	return h.do("PATCH", "/api/collections/entitlements/records/"+id, h.asRoot(), object(pairs...))
}

func (l limited) chat(want string) answer {
	l.t.Helper()
	return l.post("/v1/chat/completions", chat()).wantOutcome(want)
}

func TestRequestsPerMinute(t *testing.T) {
	l := newLimited(t, completion)
	l.plan("rate_limit_rpm", 3).want(200)
	first := l.chat("200")
	for name, want := range map[string]string{
		"x-ratelimit-limit-requests": "3", "x-ratelimit-remaining-requests": "2", "x-ratelimit-reset-requests": "20.001s",
		"x-ratelimit-limit-tokens": "30000",
	} {
		if got := first.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	l.chat("200")
	l.chat("200")
	refused := l.chat("429 rate_limit_exceeded")
	if refused.header.Get("Retry-After") != "21" || refused.header.Get("x-ratelimit-remaining-requests") != "0" {
		t.Errorf("a refusal says %v", refused.header)
	}
	if l.up.count() != 3 || l.settlement().entries != 3 {
		t.Errorf("%d calls reached the provider and %d were charged", l.up.count(), l.settlement().entries)
	}
	l.clock.Advance(21 * time.Second)
	l.chat("200")
	l.chat("429 rate_limit_exceeded")
	l.plan("rate_limit_rpm", 100).want(200) // at once
	l.chat("200")
}

// A body that makes no sense is work, too, and so is a repetition.
func TestEveryBodyThatIsReadCounts(t *testing.T) {
	l := newLimited(t, completion)
	l.plan("rate_limit_rpm", 4).want(200)
	l.post("/v1/chat/completions", `{"model":`).wantOutcome("400 invalid_request")
	l.post("/v1/chat/completions", chat("model", "nothing")).wantOutcome("404 model_not_found")
	for range 2 {
		l.post("/v1/chat/completions", chat(), "Idempotency-Key", "one").want(200)
	}
	// which is known before the body is looked at
	l.post("/v1/chat/completions", `{"model":`).wantOutcome("429 rate_limit_exceeded")
}

func TestTokensPerMinute(t *testing.T) {
	l := newLimited(t, completion)
	l.plan("rate_limit_tpm", 250).want(200)
	// The answer was shorter than the request allowed: what was not used comes back.
	first := l.chat("200")
	if got := first.header.Get("x-ratelimit-limit-tokens"); got != "250" {
		t.Errorf("the limit is %s", got)
	}
	second := l.chat("200")
	asked := promptTokens + completionTokens
	left := second.header.Get("x-ratelimit-remaining-tokens")
	if left == "" || strings.HasPrefix(left, "-") {
		t.Errorf("%s tokens are left", left)
	}
	for range 30 { // 15 tokens each
		if l.post("/v1/chat/completions", chat()).status == http.StatusTooManyRequests {
			break
		}
	}
	refused := l.chat("429 rate_limit_exceeded")
	if refused.header.Get("Retry-After") == "" || refused.header.Get("x-ratelimit-remaining-requests") == "" {
		t.Errorf("a refusal says %v", refused.header)
	}
	if got := l.up.count() * asked; got > 250 {
		t.Errorf("%d tokens passed a limit of 250", got)
	}
	before := l.server.callLimits.requests.Take("user:"+l.alice.Id, 60, 0, l.clock.Now()).Remaining
	l.chat("429 rate_limit_exceeded")
	if after := l.server.callLimits.requests.Take("user:"+l.alice.Id, 60, 0, l.clock.Now()).Remaining; after != before {
		t.Errorf("a refused call took a request: %d of %d are left", after, before)
	}
	l.clock.Advance(time.Minute)
	l.chat("200")
}

func TestTheLowerLimitHolds(t *testing.T) {
	l := newLimited(t, completion)
	key, record := l.keyWith(map[string]any{"scopes": []apikeys.Scope{apikeys.ScopeGateway}, "rate_limit_rpm": 1})
	l.plan("rate_limit_rpm", 3).want(200)
	with := func(key, want string) answer {
		t.Helper()
		return l.do("POST", "/v1/chat/completions", bearer(key), chat()).wantOutcome(want)
	}
	if got := with(key, "200").header.Get("x-ratelimit-limit-requests"); got != "1" {
		t.Errorf("the tightest limit is shown as %s, want the key's", got)
	}
	refused := with(key, "429 rate_limit_exceeded")
	refused.names("API key")
	with(l.key, "200") // the user's other key has the rest of the plan
	with(l.key, "200")
	with(l.key, "429 rate_limit_exceeded").names("plan")
	l.do("PATCH", "/api/collections/api_keys/records/"+record.Id, l.asRoot(), object("rate_limit_rpm", 100)).want(200)
	with(key, "429 rate_limit_exceeded").names("plan")
}

func TestConcurrentSessions(t *testing.T) {
	end := make(chan struct{})
	l := newLimited(t, func(w http.ResponseWriter, r *http.Request) {
		chunks(delta("hi"))(w, r)
		<-end
		chunks(usageChunk, done)(w, r)
	})
	first := l.stream("/v1/chat/completions", chat("stream", true))
	first.next()
	refused := l.post("/v1/chat/completions", chat("stream", true)).wantOutcome("429 rate_limit_exceeded")
	if refused.header.Get("Retry-After") == "" {
		t.Error("a refusal does not say when to come back")
	}
	l.plan("max_concurrent_sessions", 2).want(200) // at once
	second := l.stream("/v1/chat/completions", chat("stream", true))
	if got := l.server.callLimits.sessions.Open(l.alice.Id); second.response.StatusCode != http.StatusOK || got != 2 {
		t.Errorf("on a greater plan the second stream is %d, and %d are open", second.response.StatusCode, got)
	}
	close(end)
	first.rest()
	second.rest()
}

func TestASessionEndsWithItsCall(t *testing.T) {
	l := newLimited(t, chunks(delta("hi"), usageChunk, done))
	for range 3 {
		l.stream("/v1/chat/completions", chat("stream", true)).rest()
	}
	l.settled()
	l.up.serve = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"message":"too hot"}}`)
	}
	for range 3 {
		l.post("/v1/chat/completions", chat("stream", true)).want(400)
	}
	if got := l.server.callLimits.sessions.Open(l.alice.Id); got != 0 {
		t.Errorf("%d sessions are open after all ended", got)
	}
}

func TestModelsAndFeatures(t *testing.T) {
	l := newLimited(t, completion)
	l.priceFor("openai", "advanced-model", "feature", "advanced_models")
	ask := func(model, want string) {
		t.Helper()
		l.post("/v1/chat/completions", chat("model", model)).wantOutcome(want)
	}
	listed := func(model string) bool {
		t.Helper()
		return strings.Contains(string(l.do("GET", "/v1/models", bearer(l.key), "").want(200).body), `"`+model+`"`)
	}
	ask("advanced-model", "403 feature_required")
	if listed("advanced-model") || !listed(testModel) {
		t.Error("the list of models is not the plan's")
	}
	l.plan("features", []string{"basic", "advanced_models"}).want(200)
	ask("advanced-model", "200")
	if !listed("advanced-model") {
		t.Error("an opened model is not listed")
	}
	l.plan("allowed_models", []string{"test-*"}).want(200)
	ask("advanced-model", "403 model_not_allowed")
	ask(testModel, "200")
	ask("openai/"+testModel, "200")
	if listed("advanced-model") {
		t.Error("a model that the plan is not open to is listed")
	}
	l.plan("allowed_models", nil).want(200)
	ask("advanced-model", "200")

	key, _ := l.keyWith(map[string]any{"scopes": []apikeys.Scope{apikeys.ScopeGateway}, "allowed_models": []string{"advanced-model"}})
	l.do("POST", "/v1/chat/completions", bearer(key), chat()).wantOutcome("403 model_not_allowed").names("API key")
	l.do("POST", "/v1/chat/completions", bearer(key), chat("model", "advanced-model")).want(200)
	if calls, entries := l.up.count(), l.settlement().entries; calls != entries {
		t.Errorf("%d calls reached the provider, %d were charged", calls, entries)
	}
}

func TestAPlansModelsThatCannotBeReadOpenNone(t *testing.T) {
	l := newLimited(t, completion)
	l.plan("allowed_models", []string{"a*b"}).wantOutcome("400")
	l.plan("allowed_models", "all").wantOutcome("400")
	l.mustExecute(`UPDATE entitlements SET allowed_models = '{"a":1}'`)
	l.server.entitlements.Clear()
	l.chat("403 model_not_allowed")
}

func TestAPlansLimitsComeWithIt(t *testing.T) {
	h := newHouse(t)
	h.do("PATCH", "/api/collections/plans/records/pro_plan", h.asRoot(), object("rate_limit_tpm", 5000, "allowed_models", []string{"gpt-*"})).want(200)
	limits := func() string {
		record := h.do("GET", "/api/collections/entitlements/records", h.asAlice(), "").want(200)
		return record.value("items.0.rate_limit_tpm").(interface{ String() string }).String() + " " + record.text("items.0.allowed_models.0")
	}
	h.plan("plan_id", "pro_plan").want(200)
	if got := limits(); got != "5000 gpt-*" {
		t.Errorf("an admin's move brings %q", got)
	}
	h.plan("plan_id", "free_plan").want(200)
	h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "planId", "pro_plan", "amountCents", 5000)).want(200)
	if got := limits(); got != "5000 gpt-*" {
		t.Errorf("a payment brings %q", got)
	}
}

func TestABudgetOnV1IsAQuota(t *testing.T) {
	l := newLimited(t, completion)
	for column, most := range map[string]int{"spend_limit_tokens": 10, "daily_budget_tokens": 10, "monthly_budget_tokens": 10} {
		key, _ := l.keyWith(map[string]any{"scopes": []apikeys.Scope{apikeys.ScopeGateway}, column: most})
		l.do("POST", "/v1/chat/completions", bearer(key), chat()).wantOutcome("429 insufficient_quota").names("API key")
	}
	if l.up.count() != 0 {
		t.Errorf("%d calls reached the provider", l.up.count())
	}
	key, record := l.keyWith(map[string]any{"scopes": []apikeys.Scope{apikeys.ScopeGateway}, "spend_limit_tokens": 1_000_000})
	l.do("POST", "/v1/chat/completions", bearer(key), chat()).want(200)
	spending, err := l.server.store.KeySpending(t.Context(), record.Id)
	if err != nil || spending.Tokens != ordinaryCharge || spending.HeldTokens != 0 {
		t.Errorf("the key has spent %+v (%v), want %d", spending, err, ordinaryCharge)
	}
}

func TestBoundsOfWhomNothingIsKnown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		granted entitlement
		want    callBounds
	}{
		{entitlement{}, callBounds{60, 600_000, 1}},
		{entitlement{rateLimitRPM: 300, maxConcurrentSessions: 5}, callBounds{300, 3_000_000, 5}},
		{entitlement{rateLimitRPM: 300, rateLimitTPM: 7}, callBounds{300, 7, 1}},
		{entitlement{rateLimitRPM: 1 << 52}, callBounds{1 << 52, 1_000_000_000_000_000, 1}},
	} {
		if got := boundsOf(test.granted); got != test.want {
			t.Errorf("%+v: got %+v, want %+v", test.granted, got, test.want)
		}
	}
}

func TestResetText(t *testing.T) {
	t.Parallel()
	for reset, want := range map[time.Duration]string{
		-1: "0s", 0: "0s", 1: "1ms", 120 * time.Millisecond: "120ms", time.Second: "1s", 6 * time.Minute: "6m0s", time.Second + 1: "1.001s",
	} {
		if got := resetText(reset); got != want {
			t.Errorf("%d ns is %q, want %q", reset, got, want)
		}
	}
}

func TestDoneTwiceCountsOnce(t *testing.T) {
	h := newHouse(t)
	event := new(core.RequestEvent)
	event.Request, event.Response = httptest.NewRequest("POST", "/v1/chat/completions", nil), httptest.NewRecorder()
	turn, err := h.server.takeTurn(event, caller{kind: user, userID: h.alice.Id}, entitlement{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := turn.admit(callAsk{estimated: 1000, session: true}, event.Response.Header())
	if err != nil {
		t.Fatal(err)
	}
	a.done(100)
	a.done(0)
	left := h.server.callLimits.tokens.Take("user:"+h.alice.Id, 600_000, 0, time.Now()).Remaining
	if open := h.server.callLimits.sessions.Open(h.alice.Id); open != 0 || left < 599_900 || left > 599_990 {
		t.Errorf("%d sessions are open and %d tokens left", open, left)
	}
}
