package hooks

import (
	"net/url"
	"testing"
)

// A row may price all models whose names begin so, which the dashboard makes like
// any other.
func TestAPriceOfAFamilyOfModels(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1_000_000)
	add := func(pairs ...any) {
		t.Helper()
		h.do("POST", "/api/collections/prices/records", h.asRoot(), object(append([]any{"provider", "local"}, pairs...)...)).want(200)
	}
	charge := func(model string) int64 {
		t.Helper()
		return h.charge("provider", "local", "model", model, "inputTokens", 1_000_000)
	}
	add("model", "llama-", "match", "prefix", "in_text", 1_000_000)
	add("model", "llama-4-", "match", "prefix", "in_text", 2_000_000)
	add("model", "llama-4-maverick", "match", "exact", "in_text", 3_000_000)
	for model, want := range map[string]int64{"llama-3": 120_000, "llama-4-scout": 240_000, "llama-4-maverick": 360_000} {
		if got := charge(model); got != want {
			t.Errorf("%s costs %d, want %d", model, got, want)
		}
	}
	h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", h.alice.Id, "provider", "local", "model", "my-llama-3", "inputTokens", 1)).
		wantOutcome("400 invalid_request")
	h.do("POST", "/api/collections/prices/records", h.asRoot(), object("provider", "local", "model", "x", "match", "contains", "in_text", 1)).want(400)
}

// The margin is the price's own, else the plan's, else the operator's; a change of
// the plan holds from the next use on.
func TestAPlanHasAMarginOfItsOwn(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 10_000_000)
	h.price("plain", "in_text", 1_000_000)
	h.do("POST", "/api/collections/prices/records", h.asRoot(), object(
		"provider", "openai", "model", "own", "in_text", 1_000_000, "margin_ppm", 2_000_000)).want(200)
	million := func(model string) []any {
		return []any{"provider", "openai", "model", model, "inputTokens", 1_000_000}
	}
	want := func(plain, own int64) {
		t.Helper()
		if got := h.charge(million("plain")...); got != plain {
			t.Errorf("without a margin of its own it costs %d, want %d", got, plain)
		}
		if got := h.charge(million("own")...); got != own {
			t.Errorf("with a margin of its own it costs %d, want %d", got, own)
		}
	}
	want(120_000, 200_000)
	h.do("PATCH", "/api/collections/plans/records/free_plan", h.asRoot(), object("margin_ppm", 1_500_000)).want(200)
	want(150_000, 200_000)

	if public := h.do("GET", "/api/collections/plans/records/free_plan", nobody, "").want(200); public.value("margin_ppm") != nil {
		t.Errorf("strangers see the margin: %s", public.body)
	}

	batch := h.do("POST", "/api/wallet/use/batch", h.asRoot(), `{"userId":"`+h.alice.Id+`","uses":[`+object(million("plain")...)+`]}`).want(200)
	if batch.number("results.0.deducted") != 150_000 || batch.number("results.0.usage.rates.margin_ppm") != 1_500_000 {
		t.Errorf("a batch is charged %s", batch.body)
	}
	hold := h.do("POST", "/api/wallet/holds", h.asRoot(), object("userId", h.alice.Id, "amount", 1000)).want(201)
	settled := h.do("POST", "/api/wallet/holds/"+hold.text("hold.id")+"/settle", h.asRoot(), object(million("plain")...)).want(200)
	if settled.number("deducted") != 150_000 {
		t.Errorf("a settlement is charged %s", settled.body)
	}
	h.do("PATCH", "/api/collections/plans/records/free_plan", h.asRoot(), object("margin_ppm", -1)).want(400)
	h.do("PATCH", "/api/collections/plans/records/free_plan", h.asRoot(), object("margin_ppm", 0)).want(200)
	want(120_000, 200_000)
}

// Users read what a model costs; the operator's notes and margin are for superusers.
func TestWhoReadsWhatOfAPrice(t *testing.T) {
	h := newHouse(t)
	row := h.do("POST", "/api/collections/prices/records", h.asRoot(), object(
		"provider", "openai", "model", "mine", "in_text", 7, "margin_ppm", 1_100_000, "source", "our contract")).want(200)
	path := "/api/collections/prices/records/" + row.text("id")
	if shown := h.do("GET", path, h.asRoot(), "").want(200); shown.number("margin_ppm") != 1_100_000 || shown.text("source") != "our contract" {
		t.Errorf("a superuser reads %s", shown.body)
	}
	shown := h.do("GET", path+"?fields=*,margin_ppm,source", h.asAlice(), "").want(200)
	if shown.number("in_text") != 7 || shown.value("margin_ppm") != nil || shown.value("source") != nil {
		t.Errorf("a user reads %s", shown.body)
	}
	for _, filter := range []string{"margin_ppm=1100000", "source~'contract'"} {
		h.do("GET", "/api/collections/prices/records?filter="+url.QueryEscape(filter), h.asAlice(), "").want(400)
	}
	h.do("GET", path, nobody, "").want(404)
}
