package pricing

import (
	"testing"
	"time"
)

func TestSeedPricesChargeAsTheOriginal(t *testing.T) {
	t.Parallel()
	// The original: ratio = USD per million ÷ 10 × 1.2, ceil(tokens × ratio).
	tests := []struct {
		model string
		usage Usage
		want  Charge
	}{
		{"gpt-4o-realtime-preview", Usage{InText: 1000, OutText: 1000}, Charge{600, 2400, 3000}},
		{"gpt-4o-realtime-preview", Usage{InAudio: 1000, OutAudio: 1000}, Charge{4800, 9600, 14_400}},
		{"gpt-4o-realtime-preview-2024-10-01", Usage{InText: 1000, OutText: 1000}, Charge{600, 2400, 3000}},
		{"gpt-4o-realtime-preview-2024-10-01", Usage{InAudio: 1000, OutAudio: 1000}, Charge{4800, 9600, 14_400}},
		{"gpt-4o-mini-realtime-preview", Usage{InText: 1000, OutText: 1000}, Charge{72, 288, 360}},
		{"gpt-4o-mini-realtime-preview", Usage{InAudio: 10, OutAudio: 10}, Charge{12, 24, 36}},
		{"gpt-4o-mini-realtime-preview-2024-10-01", Usage{InText: 1000, OutText: 1000}, Charge{72, 288, 360}},
		{"gpt-4o-mini-realtime-preview-2024-10-01", Usage{InAudio: 10, OutAudio: 10}, Charge{12, 24, 36}},
		{"gpt-4o-realtime-preview", Usage{InCachedText: 1000, InCachedAudio: 1000}, Charge{In: 5400, Total: 5400}},
		{"gpt-4o-mini-realtime-preview", Usage{Milliseconds: 1000}, Charge{In: 12, Total: 12}},
		{"whisper-1", Usage{Milliseconds: 1000}, Charge{In: 12, Total: 12}},
	}
	book := NewBook(SeedPrices())
	for _, test := range tests {
		price, found := book.Find("openai", test.model, time.Now())
		if !found {
			t.Errorf("%s is not seeded", test.model)
			continue
		}
		margin := price.EffectiveMarginPPM(0, DefaultMarginPPM)
		got, err := Quote(test.usage, price.Rates, margin, DefaultTokenValueMicroUSD)
		if err != nil || got != test.want {
			t.Errorf("%s %+v: got %+v, %v; want %+v", test.model, test.usage, got, err, test.want)
		}
	}
}

func TestSeedPricesAreValidAndUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, price := range SeedPrices() {
		if err := price.Validate(); err != nil {
			t.Errorf("%s: %v", price.Model, err)
		}
		if seen[price.Model] {
			t.Errorf("%s is seeded twice", price.Model)
		}
		seen[price.Model] = true
	}
	if len(seen) != 5 {
		t.Errorf("%d models, want 5", len(seen))
	}
}

func TestWhisperHasNoTokenRates(t *testing.T) {
	t.Parallel()
	price, _ := NewBook(SeedPrices()).Find("openai", "whisper-1", time.Now())
	if price.Rates != (Rates{Milliseconds: 100_000}) {
		t.Fatalf("got %+v", price.Rates)
	}
}
