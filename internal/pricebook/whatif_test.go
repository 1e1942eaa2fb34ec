package pricebook

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"sokuji/internal/pricing"
)

var terms = Terms{MarginPPM: pricing.DefaultMarginPPM, TokenValueMicroUSD: pricing.DefaultTokenValueMicroUSD}

func TestWhatIf(t *testing.T) {
	t.Parallel()
	later := openAI("gpt-4o", pricing.Rates{InText: 5_000_000, OutText: 20_000_000})
	later.EffectiveFrom = now.AddDate(1, 0, 0)
	candidate := []pricing.Price{openAI("gpt-4o", pricing.Rates{InText: 1, OutText: 1}), later, openAI("whisper-1", pricing.Rates{Milliseconds: 200_000})}
	whatIf := NewWhatIf(candidate, terms, now)
	for _, use := range []Used{
		{Plan: "pro_plan", Provider: "openai", Model: "gpt-4o", Usage: pricing.Usage{InText: 1000, OutText: 100, Requests: 1}, Charged: 420},      // 600 + 240
		{Plan: "pro_plan", PlanMarginPPM: 1_000_000, Provider: "OpenAI", Model: "gpt-4o", Usage: pricing.Usage{InCachedText: 1000}, Charged: 100}, // 500
		{Plan: "pro_plan", Provider: "openai", Model: "other", Usage: pricing.Usage{InText: 1000}, Charged: 7},                                    // 7, not in the file
		{Plan: "free_plan", Provider: "openai", Model: "whisper-1", Usage: pricing.Usage{Milliseconds: 1000}, Charged: 12},                        // 24
		{Plan: "free_plan", Provider: "openai", Model: "whisper-1", Usage: pricing.Usage{OutAudio: 1000}, Charged: 5},                             // 5, no rate
		{Plan: "free_plan", Charged: 50}, // 50, by amount
	} {
		if err := whatIf.Add(use); err != nil {
			t.Fatal(err)
		}
	}
	want := []Sum{
		{Plan: "free_plan", Uses: 3, Charged: 67, WouldBe: 79, Unpriceable: 1, WithoutCounts: 1},
		{Plan: "pro_plan", Uses: 3, Charged: 527, WouldBe: 1347, Unknown: 1},
	}
	got := whatIf.Sums()
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	total, err := Total(got)
	if err != nil || total != (Sum{Plan: "total", Uses: 6, Charged: 594, WouldBe: 1426, Unknown: 1, Unpriceable: 1, WithoutCounts: 1}) || total.Difference() != 832 {
		t.Errorf("the total is %+v (%v)", total, err)
	}
}

func TestWhatIfNeverWraps(t *testing.T) {
	t.Parallel()
	whatIf := NewWhatIf(nil, terms, now)
	if err := errors.Join(whatIf.Add(Used{Charged: math.MaxInt64}), whatIf.Add(Used{Plan: "p", Charged: math.MaxInt64})); err != nil {
		t.Fatal(err)
	}
	if err := whatIf.Add(Used{Charged: 1}); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more is %v", err)
	}
	if _, err := Total(whatIf.Sums()); !errors.Is(err, ErrTooMany) {
		t.Errorf("the total is %v", err)
	}
}

// With the book that charged them, uses would be charged the same.
func TestTheSameBookChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.Int64Range(0, 1_000_000)
		rates := pricing.Rates{InText: 1 + count.Draw(t, "in"), OutText: 1 + count.Draw(t, "out"), InAudio: 1 + count.Draw(t, "audio")}
		margin := rapid.Int64Range(0, 3_000_000).Draw(t, "plan margin")
		price := openAI("m", rates)
		whatIf := NewWhatIf([]pricing.Price{price}, terms, now)
		for range rapid.IntRange(1, 5).Draw(t, "uses") {
			usage := pricing.Usage{InText: count.Draw(t, "text"), OutText: count.Draw(t, "written"), InAudio: count.Draw(t, "heard")}
			charge, err := pricing.Quote(usage, rates, price.EffectiveMarginPPM(margin, terms.MarginPPM), terms.TokenValueMicroUSD)
			if err != nil {
				t.Fatal(err)
			}
			if err := whatIf.Add(Used{Plan: "p", PlanMarginPPM: margin, Provider: "openai", Model: "m", Usage: usage, Charged: charge.Total}); err != nil {
				t.Fatal(err)
			}
		}
		if sum := whatIf.Sums()[0]; sum.Difference() != 0 {
			t.Fatalf("got %+v", sum)
		}
	})
}
