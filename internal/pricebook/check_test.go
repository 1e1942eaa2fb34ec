package pricebook

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sokuji/internal/pricing"
)

var now = time.Date(2026, time.November, 24, 12, 0, 0, 0, time.UTC)

func openAI(model string, rates pricing.Rates) pricing.Price {
	return pricing.Price{ID: model, Provider: "openai", Model: model, Rates: rates}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	text := pricing.Rates{InText: 10, OutText: 40}
	prefix := openAI("gpt-", text)
	prefix.Prefix = true
	longer := openAI("gpt-4o", text)
	longer.Prefix = true
	later := openAI("later", text)
	later.EffectiveFrom = now.AddDate(0, 0, 1)
	cheap := openAI("cheap", text)
	cheap.MarginPPM = 900_000
	tests := []struct {
		name     string
		prices   []pricing.Price
		observed []Observed
		want     []string
	}{
		{"nothing", []pricing.Price{openAI("m", text)}, nil, nil},
		{"no rate", []pricing.Price{openAI("m", pricing.Rates{})}, nil, []string{"problem: openai m: it has no rate at all"}},
		{"out of bounds", []pricing.Price{openAI("m", pricing.Rates{InText: 1, OutText: -1})}, nil, []string{"problem: openai m: out_text must be from 0"}},
		{"a discount of nothing", []pricing.Price{openAI("m", pricing.Rates{InCachedAudio: 5, InText: 1})}, nil,
			[]string{"problem: openai m: in_cached_audio has a rate, but in_audio has none"}},
		{"a discount that is none", []pricing.Price{openAI("m", pricing.Rates{InCachedText: 5, InText: 1})}, nil,
			[]string{"note: openai m: in_cached_text costs more than in_text"}},
		{"below the cost", []pricing.Price{cheap}, nil, []string{"note: openai cheap: its margin of 900000"}},
		{"in the future", []pricing.Price{later}, nil, []string{"note: openai later: it is in force from 2026-11-25T12:00:00Z on"}},
		{"two of one moment", []pricing.Price{openAI("m", text), openAI("m", text)}, nil, []string{"note: openai m: 2 rows begin at the same moment"}},
		{"a prefix and an exact row are no tie", []pricing.Price{longer, openAI("gpt-4o", text)}, nil, nil},
		{"prefixes that overlap", []pricing.Price{longer, prefix}, nil, []string{"note: openai gpt-*: it also matches models of openai gpt-4o*"}},
		{"used without a price", []pricing.Price{later}, []Observed{{Provider: "OpenAI", Model: "later", Calls: 3}},
			[]string{"problem: openai later: it was called 3 times and has no price in force", "note: openai later: it is in force from"}},
		{"used in an unpriced class", []pricing.Price{openAI("m", text)},
			[]Observed{{Provider: "openai", Model: "m", Calls: 1, Usage: pricing.Usage{InText: 1, InCachedText: 1, Milliseconds: 1, Requests: 1}}},
			[]string{"problem: openai m: milliseconds was counted, but has no rate and none near it", "note: openai m: in_cached_text was counted, but has no rate: it is charged at the nearest one"}},
		{"used in a class that costs more than the one it is charged as", []pricing.Price{prefix},
			[]Observed{{Provider: "openai", Model: "gpt-audio", Calls: 1, Usage: pricing.Usage{InText: 1, OutAudio: 1, InCacheWrite1h: 1}}},
			[]string{"problem: openai gpt-audio: in_cache_write_1h was counted, but has no rate: it is charged at the nearest one, which may be below its cost",
				"problem: openai gpt-audio: out_audio was counted, but has no rate: it is charged at the nearest one, which may be below its cost"}},
		{"used as priced", []pricing.Price{prefix}, []Observed{{Provider: "openai", Model: "gpt-9", Calls: 1, Usage: pricing.Usage{InText: 1, Requests: 1}}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, finding := range Check(test.prices, test.observed, now) {
				got = append(got, finding.String())
			}
			if !slices.EqualFunc(got, test.want, strings.HasPrefix) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTheListPricesHaveNoProblem(t *testing.T) {
	t.Parallel()
	prices := pricing.SeedPrices()
	for _, listed := range pricing.ListPrices() {
		prices = append(prices, listed.Price)
	}
	if findings := Check(prices, nil, now); len(findings) > 0 {
		t.Errorf("got %v", findings)
	}
}
