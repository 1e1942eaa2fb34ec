package hooks

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

func (h *house) charge(pairs ...any) int64 {
	h.t.Helper()
	return h.do("POST", "/api/wallet/use", h.asRoot(), object(append([]any{"userId", h.alice.Id}, pairs...)...)).want(200).number("deducted")
}

func TestANewPriceIsInForceAtOnce(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1_000_000)
	second := []any{"provider", "openai", "model", "whisper-1", "durationSeconds", 1}
	if got := h.charge(second...); got != 12 {
		t.Errorf("a second of transcription costs %d, want the original's 12", got)
	}
	audio := []any{"provider", "OpenAI", "model", "gpt-4o-mini-realtime-preview", "modality", "audio", "inputTokens", 10, "outputTokens", 10}
	if got := h.charge(audio...); got != 36 {
		t.Errorf("10 + 10 audio tokens cost %d, want the original's 12 + 24", got)
	}
	h.price("whisper-1", "milliseconds", 200_000)
	if got := h.charge(second...); got != 24 {
		t.Errorf("after the new price it costs %d, want 24", got)
	}
	h.do("POST", "/api/collections/prices/records", h.asRoot(), object(
		"provider", "openai", "model", "whisper-1", "milliseconds", 900_000, "effective_from", "2100-01-01 00:00:00.000Z")).want(200)
	if got := h.charge(second...); got != 24 {
		t.Errorf("before its time a price costs %d, want 24", got)
	}
	h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", h.alice.Id, "provider", "openai", "model", "new-model", "inputTokens", 1)).
		wantOutcome("400 invalid_request")
	h.price("new-model", "in_text", 1_000_000)
	if got := h.charge("provider", "openai", "model", "new-model", "inputTokens", 1_000_000); got != 120_000 {
		t.Errorf("a million tokens at a dollar cost %d, want 120000", got)
	}
}

// A use pins what its price was made of.
func TestAUsePinsItsPrice(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	got := h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", h.alice.Id, "provider", "openai", "model", "whisper-1", "durationSeconds", 1.5)).want(200)
	if got.number("deducted") != 18 || got.number("usage.durationMs") != 1500 || got.number("usage.chargedTokens") != 18 {
		t.Errorf("1.5 seconds are %s", got.body)
	}
	if got.number("usage.rates.milliseconds") != 100_000 || got.number("usage.rates.margin_ppm") != 1_200_000 || got.text("usage.priceId") == "" {
		t.Errorf("the price is not pinned: %s", got.body)
	}
}

func TestMovingAPlanIsEffectiveAtOnce(t *testing.T) {
	h := newHouse(t)
	balance := func() answer { return h.do("GET", "/api/wallet/balance", h.asAlice(), "").want(200) }
	want := func(plan string, rpm, sessions int64) {
		t.Helper()
		got := balance()
		if got.text("planId") != plan || got.number("rateLimitRpm") != rpm || got.number("maxConcurrentSessions") != sessions {
			t.Errorf("the balance shows %s, want %s %d %d", got.body, plan, rpm, sessions)
		}
	}
	entitlement := "/api/collections/entitlements/records/" + ofUser("entitlements", "subject_id")(h)
	want("free_plan", 60, 1)
	h.do("PATCH", entitlement, h.asRoot(), object("plan_id", "pro_plan")).want(200)
	want("pro_plan", 300, 5)
	h.do("PATCH", entitlement, h.asRoot(), object("plan_id", "business_plan", "rate_limit_rpm", 7)).want(200)
	want("business_plan", 7, 10)
	// the dashboard sends every field of its form
	h.do("PATCH", entitlement, h.asRoot(), object("plan_id", "starter_plan", "rate_limit_rpm", 7, "max_concurrent_sessions", 10,
		"subject_id", h.alice.Id, "subject_type", "user")).want(200)
	want("starter_plan", 120, 2)
	h.do("PATCH", entitlement, h.asRoot(), object("rate_limit_rpm", 99)).want(200)
	want("starter_plan", 99, 2)
	h.do("PATCH", entitlement, h.asRoot(), object("plan_id", "no_plan")).wantOutcome("400")
	want("starter_plan", 99, 2)
	h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "planId", "enterprise_plan", "amountCents", 50_000)).want(200)
	want("enterprise_plan", 1200, 50)
	h.do("PATCH", "/api/collections/plans/records/enterprise_plan", h.asRoot(), object("monthly_quota_tokens", 5)).want(200)
	if got := h.do("GET", "/api/wallet/status", h.asAlice(), "").want(200).number("monthlyQuota"); got != 5 {
		t.Errorf("the edited quota shows as %d", got)
	}
}

// floor(quota × min(paid ÷ price, 1)), in integers.
func TestMintByPlan(t *testing.T) {
	for _, c := range []struct {
		plan                string
		cents, want, unused int64
	}{
		{"pro_plan", 5000, 50_000_000, 0}, {"pro_plan", 6000, 50_000_000, 1000}, {"pro_plan", 2500, 25_000_000, 0},
		{"pro_plan", 1, 10_000, 0}, {"pro_plan", 0, 0, 0}, {"free_plan", 100, 0, 100}, {"unlimited_plan", 1, 10_000, 0},
		{"unlimited_plan", 99_998, 999_989_998, 0},
	} {
		h := newHouse(t)
		got := h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "planId", c.plan, "amountCents", c.cents)).want(200)
		if got.number("newBalance") != c.want || got.number("unusedCents") != c.unused || got.number("ledgerEntry.amountTokens") != c.want {
			t.Errorf("%s for %d cents: %s, want %d and %d unused", c.plan, c.cents, got.body, c.want, c.unused)
		}
		if plan := h.do("GET", "/api/wallet/balance", h.asAlice(), "").text("planId"); plan != c.plan {
			t.Errorf("the entitlement is on %s, want %s", plan, c.plan)
		}
	}
}

// What clients read, key by key.
func TestShapes(t *testing.T) {
	h := newHouse(t)
	mint := h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", 1000)).want(200)
	use := h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", h.alice.Id, "amount", 10)).want(200)
	refund := h.do("POST", "/api/wallet/refund", h.asRoot(), object("userId", h.alice.Id, "ledgerId", use.text("ledgerEntry.id"), "amount", 4)).want(200)
	adjust := h.do("POST", "/api/wallet/adjust", h.asRoot(), object("userId", h.alice.Id, "amount", 1, "description", "x")).want(200)
	freeze := h.do("POST", "/api/wallet/freeze", h.asRoot(), object("userId", h.alice.Id, "reason", "x")).want(200)
	unfreeze := h.do("POST", "/api/wallet/unfreeze", h.asRoot(), object("userId", h.alice.Id, "reason", "x")).want(200)
	get := func(path string) answer { return h.do("GET", path, h.asAlice(), "").want(200) }
	entry := []string{"id", "seq", "subjectType", "subjectId", "amountTokens", "balanceAfter", "eventType", "referenceType", "referenceId",
		"planId", "externalEventId", "description", "metadata", "createdAt", "prevHash", "hash"}
	usage := []string{"id", "provider", "model", "modality", "endpoint", "method", "inputTokens", "outputTokens", "totalTokens",
		"adjustedInputTokens", "adjustedOutputTokens", "adjustedTotalTokens", "inputRatio", "outputRatio", "sessionId", "requestId",
		"responseId", "eventType", "ledgerId", "metadata", "createdAt", "chargedTokens", "durationMs", "priceId", "rates",
		"apiKeyId", "counts", "firstByteMs", "callDurationMs", "status", "settledBy"}
	page := []string{"limit", "offset", "total", "hasMore", "nextCursor"}
	for _, c := range []struct {
		got  answer
		path string
		keys []string
	}{
		{mint, "", []string{"success", "ledgerEntry", "newBalance"}},
		{use, "", []string{"success", "deducted", "remaining", "ledgerEntry", "usage"}},
		{refund, "", []string{"success", "ledgerEntry", "newBalance", "refundable"}},
		{adjust, "", []string{"success", "newBalance", "frozen", "ledgerEntry"}},
		{freeze, "", []string{"success", "newBalance", "frozen"}},
		{unfreeze, "", []string{"success", "newBalance", "frozen"}},
		{mint, "ledgerEntry", entry}, {use, "usage", usage},
		{get("/api/wallet/ledger"), "ledger.0", entry}, {get("/api/wallet/usage"), "usage.0", usage},
		{get("/api/wallet/ledger"), "", []string{"ledger", "pagination"}}, {get("/api/wallet/usage"), "", []string{"usage", "pagination"}},
		{get("/api/wallet/ledger"), "pagination", page}, {get("/api/wallet/usage"), "pagination", page},
		{get("/api/wallet/balance"), "", []string{"balance", "held", "available", "frozen", "planId", "maxConcurrentSessions", "rateLimitRpm", "updatedAt", "nextExpiry"}},
		{get("/api/wallet/status"), "", []string{"balance", "frozen", "plan", "monthlyQuota", "last30DaysUsage", "features", "rateLimitRpm",
			"maxConcurrentSessions", "total", "used", "remaining", "resetDate", "balanceMicroUsd", "usage", "last30DaysUsageMicroUsd"}},
		{get("/api/user/profile"), "", []string{"user"}},
		{get("/api/user/profile"), "user", []string{"id", "email", "name", "image", "firstName", "lastName", "subscription", "tokenQuota", "tokensUsed", "createdAt"}},
		{get("/api/user/api-key"), "", []string{"apiKey", "balance", "provider"}},
	} {
		wantKeys(t, c.got, c.path, c.keys)
	}
	status := get("/api/wallet/status")
	for key, want := range map[string]any{
		"balance": "995", "balanceMicroUsd": "9950", "total": "995", "remaining": "995", "used": "0", "usage": "10",
		"last30DaysUsage": "10", "last30DaysUsageMicroUsd": "100", "monthlyQuota": "0", "plan": "free", "frozen": false, "resetDate": nil,
	} {
		got := status.value(key)
		if number, ok := got.(json.Number); ok {
			got = number.String()
		}
		if got != want {
			t.Errorf("status: %s is %v, want %v", key, got, want)
		}
	}
	if refund.number("refundable") != 6 || refund.number("newBalance") != 994 || get("/api/user/profile").number("user.tokensUsed") != 10 {
		t.Errorf("refund %s, profile %s", refund.body, get("/api/user/profile").body)
	}
}

func wantKeys(t *testing.T, got answer, path string, keys []string) {
	t.Helper()
	whole := got
	if path == "" {
		whole.body = []byte(`{"whole":` + string(got.body) + `}`)
		path = "whole"
	}
	shown, _ := whole.value(path).(map[string]any)
	if have, want := slices.Sorted(maps.Keys(shown)), slices.Sorted(slices.Values(keys)); !slices.Equal(have, want) {
		t.Errorf("%s: %s has the keys\n%v, want\n%v", got.request, path, have, want)
	}
}

// The default key is the same at every call until it is rotated, which ends it.
func TestTheDefaultKeyStaysUntilItIsRotated(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	first := h.defaultKey()
	if again := h.defaultKey(); again != first {
		t.Error("two calls give two keys")
	}
	h.do("GET", "/api/wallet/balance", bearer(first), "").want(200)
	rotated := h.do("POST", "/api/user/api-key/rotate", h.asAlice(), "").want(200)
	h.do("GET", "/api/wallet/balance", bearer(first), "").wantOutcome("401 unauthorized")
	h.do("GET", "/api/wallet/balance", bearer(rotated.text("apiKey")), "").want(200)
	if h.defaultKey() != rotated.text("apiKey") || rotated.header.Get("Cache-Control") != "no-store" {
		t.Error("the rotated key is not the default one, or may be cached")
	}
	h.do("POST", "/api/wallet/freeze", h.asRoot(), object("userId", h.alice.Id, "reason", "a leak")).want(200)
	h.do("POST", "/api/user/api-key/rotate", h.asAlice(), "").want(200) // a leaked key can always be stopped
	h.do("GET", "/api/wallet/balance", bearer(rotated.text("apiKey")), "").wantOutcome("401 unauthorized")
}
