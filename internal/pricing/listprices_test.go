package pricing

import (
	"strings"
	"testing"
	"time"
)

func TestListPricesAreSound(t *testing.T) {
	t.Parallel()
	seen := map[bookKey]bool{}
	for _, price := range SeedPrices() {
		seen[newBookKey(price.Provider, price.Model)] = true
	}
	for _, listed := range ListPrices() {
		if err := listed.Validate(); err != nil {
			t.Errorf("%s: %v", listed.Model, err)
		}
		key := newBookKey(listed.Provider, listed.Model)
		if seen[key] {
			t.Errorf("%s is listed twice", listed.Model)
		}
		seen[key] = true
		if !strings.Contains(listed.Source, "2026-11-24") {
			t.Errorf("%s has no source with a date: %q", listed.Model, listed.Source)
		}
		if r := listed.Rates; r.InCachedText > r.InText || r.InCachedAudio > r.InAudio || r.InCachedImage > r.InImage {
			t.Errorf("%s costs more from the cache: %+v", listed.Model, r)
		}
		if listed.Provider == anthropicProvider && (listed.Rates.OutText != 5*listed.Rates.InText || listed.Rates.InCacheWrite1h != 2*listed.Rates.InText) {
			t.Errorf("%s does not have Anthropic's proportions: %+v", listed.Model, listed.Rates)
		}
		isDear := listed.Rates.OutText >= 20_000_000 && listed.Rates.OutAudio == 0 && listed.Rates.InImage == 0
		if isDear != (listed.Feature == FeatureAdvancedModels) {
			t.Errorf("%s at %d micro-USD has the feature %q", listed.Model, listed.Rates.OutText, listed.Feature)
		}
	}
}

// What ordinary calls cost, worked out by hand: USD × 1.2 ÷ 0.00001.
func TestListPricesCharge(t *testing.T) {
	t.Parallel()
	var prices []Price
	for _, listed := range ListPrices() {
		prices = append(prices, listed.Price)
	}
	book := NewBook(prices)
	tests := []struct {
		provider, model string
		usage           Usage
		want            Charge
	}{
		{"openai", "gpt-4o", Usage{InText: 1000, OutText: 1000}, Charge{300, 1200, 1500}},
		{"openai", "gpt-4o-mini", Usage{InText: 600, InCachedText: 400, OutText: 1000}, Charge{15, 72, 87}}, // 14.4 up
		{"openai", "gpt-5", Usage{InText: 1000, OutText: 1000}, Charge{150, 1200, 1350}},
		{"openai", "gpt-realtime", Usage{InAudio: 1000, OutAudio: 1000}, Charge{3840, 7680, 11_520}},
		{"openai", "gpt-realtime-translate", Usage{Milliseconds: 60_000}, Charge{In: 4081, Total: 4081}}, // 4080 a minute, and the rate is rounded up
		{"openai", "tts-1", Usage{InText: 1000}, Charge{In: 1800, Total: 1800}},                          // a thousand characters
		{"openai", "text-embedding-3-small", Usage{InText: 1_000_000}, Charge{In: 2400, Total: 2400}},
		{"openai", "gpt-image-1", Usage{InText: 100, OutText: 1056}, Charge{60, 5069, 5129}}, // 5068.8 up
		{"anthropic", "claude-sonnet-4-5", Usage{InText: 1000, InCachedText: 1000, InCacheWrite5m: 1000, InCacheWrite1h: 1000, OutText: 1000},
			Charge{1566, 1800, 3366}}, // 3 + 0.30 + 3.75 + 6 = 13.05 USD a million
	}
	for _, test := range tests {
		price, found := book.Find(test.provider, test.model, time.Now())
		if !found {
			t.Errorf("%s is not listed", test.model)
			continue
		}
		got, err := Quote(test.usage, price.Rates, DefaultMarginPPM, DefaultTokenValueMicroUSD)
		if err != nil || got != test.want {
			t.Errorf("%s: got %+v, %v; want %+v", test.model, got, err, test.want)
		}
	}
}
