package hooks

import (
	"net/http"
	"strings"
	"testing"

	"sokuji/internal/apikeys"
)

// writeRoute is a route with a body: a good one, and the type of each field.
type writeRoute struct {
	path   string
	method string
	as     func(*house) credential
	good   map[string]any
	texts  []string // fields that must be text
	counts []string // fields that must be whole numbers
	flags  []string
}

func writeRoutes(h *house) []writeRoute {
	named := func(more map[string]any) map[string]any {
		more["userId"] = h.alice.Id
		return more
	}
	subject := []string{"userId", "subjectType", "subjectId"}
	with := func(fields ...string) []string { return append(fields, subject...) }
	asRoot := (*house).asRoot
	return []writeRoute{
		{"/api/user/profile", "PATCH", (*house).asAlice, map[string]any{"name": "x"}, []string{"name", "firstName", "lastName"}, nil, nil},
		{"/api/wallet/mint", "POST", asRoot, named(map[string]any{"amount": 1}), with("description", "planId", "externalEventId"), []string{"amount"}, nil},
		{"/api/wallet/use", "POST", asRoot, named(map[string]any{"amount": 1}),
			with("description", "endpoint", "method", "sessionId", "requestId", "responseId", "eventType"), []string{"amount"}, []string{"allowNegative"}},
		{"/api/wallet/use", "POST", asRoot, named(map[string]any{"provider": "openai", "model": "gpt-4o-realtime-preview", "inputTokens": 1}),
			with("provider", "model", "modality"), []string{"inputTokens", "outputTokens"}, nil},
		{"/api/wallet/refund", "POST", asRoot, named(map[string]any{"ledgerId": h.mint(h.alice, 1000)}), with("ledgerId", "description"), []string{"amount"}, nil},
		{"/api/wallet/adjust", "POST", asRoot, named(map[string]any{"amount": 1, "description": "x"}), with("description"), []string{"amount"}, nil},
		{"/api/wallet/freeze", "POST", asRoot, named(map[string]any{"reason": "x"}), with("reason"), nil, nil},
		{"/api/wallet/unfreeze", "POST", asRoot, named(map[string]any{"reason": "x"}), with("reason"), nil, nil},
	}
}

// raw writes the good body with one field replaced by JSON as it stands.
func (r writeRoute) raw(field, value string) string {
	rest := object(pairs(r.without(field))...)
	if rest == "{}" {
		return `{"` + field + `":` + value + `}`
	}
	return strings.TrimSuffix(rest, "}") + `,"` + field + `":` + value + `}`
}

func (r writeRoute) without(field string) map[string]any {
	rest := make(map[string]any)
	for name, value := range r.good {
		if name != field {
			rest[name] = value
		}
	}
	return rest
}

var wrongTexts = []string{`1`, `true`, `{}`, `["x"]`, `1.5`}
var wrongCounts = []string{`"1"`, `1.5`, `1.0`, `1e3`, `true`, `{}`, `[1]`, `9223372036854775808`, `-9223372036854775809`, `NaN`, `Infinity`, `+1`, `01`, `0x10`}

func TestWrongTypesAreRefusedByName(t *testing.T) {
	h := newHouse(t)
	routes := writeRoutes(h)
	before := h.snapshot()
	for _, route := range routes {
		refuse := func(field, value string) {
			t.Helper()
			h.do(route.method, route.path, route.as(h), route.raw(field, value)).wantOutcome("400 invalid_request").names(field)
		}
		for _, field := range route.texts {
			for _, value := range wrongTexts {
				refuse(field, value)
			}
		}
		for _, field := range route.counts {
			for _, value := range wrongCounts {
				refuse(field, value)
			}
		}
		for _, field := range route.flags {
			for _, value := range []string{`1`, `"true"`, `{}`} {
				refuse(field, value)
			}
		}
	}
	for _, route := range []string{"use", "refund", "adjust"} {
		for _, value := range []string{`"x"`, `1`, `[]`, `true`} {
			body := `{"userId":"` + h.alice.Id + `","amount":1,"ledgerId":"x","description":"x","metadata":` + value + `}`
			h.do("POST", "/api/wallet/"+route, h.asRoot(), body).wantOutcome("400 invalid_request").names("metadata")
		}
	}
	h.unchanged(before)
}

func TestBrokenBodiesAreRefused(t *testing.T) {
	h := newHouse(t)
	routes := writeRoutes(h)
	before := h.snapshot()
	rotate := writeRoute{path: "/api/user/api-key/rotate", method: "POST", as: (*house).asAlice}
	for _, route := range append(routes, rotate) {
		good := object(pairs(route.good)...)
		for name, body := range map[string]string{
			"cut off":        strings.TrimSuffix(good, "}"),
			"an array":       "[" + good + "]",
			"null":           "null",
			"text":           `"x"`,
			"a number":       "1",
			"trailing":       good + "x",
			"two objects":    good + good,
			"single quotes":  "{'a':1}",
			"trailing comma": `{"a":1,}`,
			"not UTF-8":      "\xff\xfe{}",
		} {
			got := h.do(route.method, route.path, route.as(h), body)
			if got.outcome() != "400 invalid_request" || !strings.Contains(string(got.body), "body") {
				t.Errorf("%s with %s: %s %s", route.path, name, got.outcome(), got.body)
			}
		}
	}
	h.unchanged(before)
}

func TestAmountsOutOfBoundsAreRefused(t *testing.T) {
	h := newHouse(t)
	routes := writeRoutes(h)
	before := h.snapshot()
	for _, route := range routes {
		for _, field := range route.counts {
			bad := []string{`0`, `-1`, `1000000000000001`, `9223372036854775807`}
			switch {
			case strings.HasSuffix(route.path, "adjust"):
				bad = []string{`0`, `1000000000000001`, `-1000000000000001`, `-9223372036854775808`}
			case strings.HasSuffix(field, "Tokens"):
				bad = []string{`-1`, `1000000000001`}
			}
			for _, value := range bad {
				h.do(route.method, route.path, route.as(h), route.raw(field, value)).wantOutcome("400 invalid_request").names(field)
			}
		}
	}
	for _, route := range []string{"mint", "use", "adjust"} { // the amount is required
		for _, body := range []string{`{}`, `{"amount":null}`} {
			body = strings.TrimSuffix(body, "}") + `,"description":"x","userId":"` + h.alice.Id + `"}`
			h.do("POST", "/api/wallet/"+route, h.asRoot(), strings.Replace(body, "{,", "{", 1)).
				wantOutcome("400 invalid_request").names("amount")
		}
	}
	for _, seconds := range []string{`-1`, `"1"`, `1e30`, `true`} {
		body := `{"userId":"` + h.alice.Id + `","provider":"openai","model":"whisper-1","durationSeconds":` + seconds + `}`
		h.do("POST", "/api/wallet/use", h.asRoot(), body).wantOutcome("400 invalid_request").names("durationSeconds")
	}
	h.unchanged(before)
}

// What was asked for is well-formed and still cannot be done.
func TestImpossibleRequestsAreRefused(t *testing.T) {
	h := newHouse(t)
	ofBob := h.mint(h.bob, 1000)
	spent := h.mint(h.alice, 1000)
	h.do("POST", "/api/wallet/refund", h.asRoot(), object("userId", h.alice.Id, "ledgerId", spent)).want(200)
	before := h.snapshot()
	alice := h.alice.Id
	long := strings.Repeat("x", 1001)
	for _, c := range []struct {
		route string
		body  string
		want  string
		names string
	}{
		{"mint", object("amount", 1), "400 invalid_request", "userId"},
		{"mint", object("amount", 1, "userId", "nobody"), "404 wallet_not_found", "nobody"},
		{"mint", object("amount", 1, "subjectType", "team", "subjectId", alice), "400 invalid_request", "subjectType"},
		{"mint", object("amount", 1, "subjectType", "user"), "400 invalid_request", "subjectId"},
		{"mint", object("amount", 1, "subjectType", "organization", "subjectId", alice), "404 wallet_not_found", "organization"},
		{"mint", object("amount", 1, "userId", alice, "subjectType", "user", "subjectId", h.bob.Id), "400 invalid_request", "userId"},
		{"mint", object("amountCents", 1000, "userId", alice), "400 invalid_request", "planId"},
		{"mint", object("amountCents", 1000, "planId", "no_plan", "userId", alice), "400 invalid_request", "planId"},
		{"mint", object("amountCents", -1, "planId", "pro_plan", "userId", alice), "400 invalid_request", "amountCents"},
		{"mint", object("amountCents", 1.5, "planId", "pro_plan", "userId", alice), "400 invalid_request", "amountCents"},
		{"mint", object("amountCents", 1, "amount", 1, "planId", "pro_plan", "userId", alice), "400 invalid_request", "amount"},
		{"mint", object("amount", 1, "userId", alice, "expiresAt", "2030-01-01"), "400 invalid_request", "expiresAt"},
		{"mint", object("amount", 1, "userId", alice, "externalEventId", strings.Repeat("e", 256)), "400 invalid_request", "externalEventId"},
		{"mint", object("amount", 1, "userId", alice, "description", long), "400 invalid_request", "description"},
		{"use", object("amount", 1), "400 invalid_request", "userId"},
		{"use", object("amount", 1, "userId", "nobody"), "404 wallet_not_found", "nobody"},
		{"use", object("amount", 1, "userId", alice), "402 insufficient_balance", "tokens"},
		{"use", object("amount", 1, "userId", alice, "model", "whisper-1", "provider", "openai"), "400 invalid_request", "amount"},
		{"use", object("userId", alice, "model", "whisper-1"), "400 invalid_request", "provider"},
		{"use", object("userId", alice, "provider", "openai"), "400 invalid_request", "model"},
		{"use", object("userId", alice, "provider", "openai", "model", "gpt-9", "inputTokens", 1), "400 invalid_request", "model"},
		{"use", object("userId", alice, "provider", "openai", "model", "whisper-1", "inputTokens", 1), "400 invalid_request", "model"},
		{"use", object("userId", alice, "provider", "openai", "model", "whisper-1"), "400 invalid_request", "inputTokens"},
		{"use", object("userId", alice, "provider", "openai", "model", "whisper-1", "modality", "smell", "durationSeconds", 1), "400 invalid_request", "modality"},
		{"use", object("amount", 1, "userId", alice, "requestId", strings.Repeat("r", 256)), "400 invalid_request", "requestId"},
		{"use", object("amount", 1, "userId", alice, "metadata", map[string]any{"x": strings.Repeat("m", 17_000)}), "400 invalid_request", "metadata"},
		{"refund", object("userId", alice), "400 invalid_request", "ledgerId"},
		{"refund", object("userId", alice, "ledgerId", "nothing"), "400 invalid_request", "ledgerId"},
		{"refund", object("userId", alice, "ledgerId", ofBob), "400 invalid_request", "ledgerId"},
		{"refund", object("userId", alice, "ledgerId", spent), "409 over_refund", spent},
		{"refund", object("userId", h.bob.Id, "ledgerId", ofBob, "amount", 1001), "409 over_refund", "amount"},
		{"adjust", object("userId", alice, "amount", 1), "400 invalid_request", "description"},
		{"adjust", object("userId", alice, "amount", 1, "description", "  "), "400 invalid_request", "description"},
		{"adjust", object("userId", alice, "amount", -1, "description", "x"), "402 insufficient_balance", "tokens"},
		{"freeze", object("userId", alice), "400 invalid_request", "reason"},
		{"freeze", object("userId", alice, "reason", " "), "400 invalid_request", "reason"},
		{"freeze", object("userId", alice, "reason", long), "400 invalid_request", "reason"},
		{"unfreeze", object("userId", alice), "400 invalid_request", "reason"},
		{"unfreeze", object("userId", "nobody", "reason", "x"), "404 wallet_not_found", "nobody"},
	} {
		h.do("POST", "/api/wallet/"+c.route, h.asRoot(), c.body).wantOutcome(c.want).names(c.names)
	}
	h.do("PATCH", "/api/user/profile", h.asAlice(), object("name", strings.Repeat("n", 256))).wantOutcome("400 invalid_request").names("name")
	h.do("POST", "/api/user/api-key/rotate", h.asAlice(), object("graceSeconds", -60)).wantOutcome("400 invalid_request").names("graceSeconds")
	h.unchanged(before)
}

// The original's own words for two refusals.
func TestRefusalsKeepTheOriginalsWords(t *testing.T) {
	h := newHouse(t)
	unknown := h.do("GET", "/api/wallet/balance?userId=nobody", h.asRoot(), "").want(404)
	mint := h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", -5)).want(400)
	empty := h.do("GET", "/api/user/api-key", h.asAlice(), "").want(402)
	guest := h.do("GET", "/api/wallet/balance", nobody, "").want(401)
	for got, want := range map[string]string{
		mint.text("error"): "Invalid amount", unknown.text("error"): "Wallet not found",
		guest.text("error"): "Unauthorized", empty.text("error"): "Insufficient balance",
	} {
		if got != want {
			t.Errorf("error is %q, want %q", got, want)
		}
	}
	if empty.number("balance") != 0 || empty.number("status") != 402 || empty.value("data") == nil {
		t.Errorf("the body is not one that both clients read: %s", empty.body)
	}
	h.mint(h.alice, 1000)
	h.do("POST", "/api/wallet/freeze", h.asRoot(), object("userId", h.alice.Id, "reason", "x")).want(200)
	frozen := h.do("GET", "/api/user/api-key", h.asAlice(), "").wantOutcome("403 wallet_frozen")
	if frozen.text("error") != "Wallet frozen" || frozen.text("message") == "" {
		t.Errorf("the body is not the original's: %s", frozen.body)
	}
	h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", h.alice.Id, "amount", 1)).wantOutcome("403 wallet_frozen")
	h.do("POST", "/api/wallet/use", bearer(h.key(apikeys.ScopeWalletCharge)), object("amount", 1)).wantOutcome("403 wallet_frozen")
}

func TestIdempotencyKeysAreBounded(t *testing.T) {
	h := newHouse(t)
	routes := writeRoutes(h)
	before := h.snapshot()
	for _, route := range routes[1:] { // the profile has none
		h.do(route.method, route.path, route.as(h), object(pairs(route.good)...), "Idempotency-Key", strings.Repeat("k", 256)).
			wantOutcome("400 invalid_request").names("Idempotency-Key")
	}
	h.unchanged(before)
	h.do(http.MethodPost, "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", 1), "Idempotency-Key", strings.Repeat("k", 255)).want(200)
}
