package pricing

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestQuoteTable(t *testing.T) {
	t.Parallel()
	mini := Rates{InAudio: 10 * MicroUSDPerUSD, OutAudio: 20 * MicroUSDPerUSD}
	tests := []struct {
		name       string
		usage      Usage
		rates      Rates
		margin     int64
		tokenValue int64
		want       Charge
	}{
		{"nothing used costs nothing", Usage{}, mini, DefaultMarginPPM, 10, Charge{}},
		{"an unused class needs no rate", Usage{InAudio: 10}, Rates{InAudio: 1_000_000}, DefaultMarginPPM, 10, Charge{In: 2, Total: 2}},
		{"gpt-4o-mini realtime audio, the original's example", Usage{InAudio: 10, OutAudio: 10}, mini, DefaultMarginPPM, 10, Charge{In: 12, Out: 24, Total: 36}},
		{"one second of transcription", Usage{Milliseconds: 1000}, Rates{Milliseconds: 100_000}, DefaultMarginPPM, 10, Charge{In: 12, Total: 12}},
		{"one minute of transcription", Usage{Milliseconds: 60_000}, Rates{Milliseconds: 100_000}, DefaultMarginPPM, 10, Charge{In: 720, Total: 720}},
		{"the smallest usage costs one token", Usage{OutText: 1}, Rates{OutText: 1}, 1, 1_000_000, Charge{Out: 1, Total: 1}},
		{"an exact quotient is not rounded up", Usage{InText: 10}, Rates{InText: 1_000_000}, 1_000_000, 10, Charge{In: 1, Total: 1}},
		{"one unit more is rounded up", Usage{InText: 11}, Rates{InText: 1_000_000}, 1_000_000, 10, Charge{In: 2, Total: 2}},
		// Rounded per class this would be 1 + 1 + 1 = 3.
		{"rounded once a side, not once a class", Usage{InText: 3, InAudio: 3, InCachedText: 3}, Rates{InText: 1_000_000, InAudio: 1_000_000, InCachedText: 1_000_000}, 1_000_000, 10, Charge{In: 1, Total: 1}},
		// Rounded on the sum of both sides this would be 1.
		{"the sides are rounded apart", Usage{InText: 1, OutText: 1}, Rates{InText: 1_000_000, OutText: 1_000_000}, 1_000_000, 10, Charge{In: 1, Out: 1, Total: 2}},
		{"requests are on the in side", Usage{Requests: 2}, Rates{Requests: 5_000_000_000}, 1_000_000, 10, Charge{In: 1000, Total: 1000}},
		{"the largest charge", Usage{InText: MaxCount}, Rates{InText: 1_000_000_000}, 1_000_000, 1, Charge{In: MaxTokens, Total: MaxTokens}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Quote(test.usage, test.rates, test.margin, test.tokenValue)
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Fatalf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestQuoteRefusesOutOfBounds(t *testing.T) {
	t.Parallel()
	priced := Rates{InText: 1}
	tests := []struct {
		name       string
		usage      Usage
		rates      Rates
		margin     int64
		tokenValue int64
		field      string
	}{
		{"negative count", Usage{InText: -1}, priced, 1, 1, "in_text"},
		{"count above the bound", Usage{OutAudio: MaxCount + 1}, priced, 1, 1, "out_audio"},
		{"negative rate", Usage{}, Rates{Requests: -1}, 1, 1, "requests"},
		{"rate above the bound", Usage{}, Rates{Milliseconds: MaxRate + 1}, 1, 1, "milliseconds"},
		{"margin 0", Usage{}, priced, 0, 1, "margin in parts per million"},
		{"negative margin", Usage{}, priced, -1, 1, "margin in parts per million"},
		{"margin above the bound", Usage{}, priced, MaxMarginPPM + 1, 1, "margin in parts per million"},
		{"token value 0", Usage{}, priced, 1, 0, "token value in micro-USD"},
		{"token value above the bound", Usage{}, priced, 1, MaxTokenValueMicroUSD + 1, "token value in micro-USD"},
		{"the smallest integer", Usage{InImage: math.MinInt64}, priced, 1, 1, "in_image"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Quote(test.usage, test.rates, test.margin, test.tokenValue)
			var rangeError *RangeError
			if !errors.As(err, &rangeError) {
				t.Fatalf("got %+v, %v; want a RangeError", got, err)
			}
			if rangeError.Field != test.field || !strings.Contains(err.Error(), test.field) {
				t.Fatalf("the error names %q, want %q", rangeError.Field, test.field)
			}
			if got != (Charge{}) {
				t.Fatalf("a refused quote charges %+v", got)
			}
		})
	}
}

func TestQuoteTooLarge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		usage  Usage
		rates  Rates
		margin int64
	}{
		{"one side, by one token", Usage{InText: MaxCount, InAudio: 1}, Rates{InText: 1_000_000_000, InAudio: 1}, 1_000_000},
		{"only the sum of both sides", Usage{InText: MaxCount, OutText: 1}, Rates{InText: 1_000_000_000, OutText: 1}, 1_000_000},
		{"the out side", Usage{OutText: MaxCount}, Rates{OutText: 1_000_000_001}, 1_000_000},
		{"a quotient above 64 bits", Usage{InText: MaxCount, InAudio: MaxCount}, Rates{InText: MaxRate, InAudio: MaxRate}, MaxMarginPPM},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Quote(test.usage, test.rates, test.margin, 1)
			if !errors.Is(err, ErrTooLarge) || got != (Charge{}) {
				t.Fatalf("got %+v, %v; want ErrTooLarge", got, err)
			}
		})
	}
}

// TestQuoteSideNeverWraps goes past the bounds that Quote checks first.
func TestQuoteSideNeverWraps(t *testing.T) {
	t.Parallel()
	huge := []int64{math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64}
	if got, err := quoteSide(huge, huge, 1, 1); !errors.Is(err, ErrTooLarge) {
		t.Errorf("an overflowing sum: got %d, %v", got, err)
	}
	if got, err := quoteSide(huge[:1], huge[:1], math.MaxUint64, 1); !errors.Is(err, ErrTooLarge) {
		t.Errorf("an overflowing product: got %d, %v", got, err)
	}
}

func TestQuoteFailsClosedForEachClass(t *testing.T) {
	t.Parallel()
	for i, class := range classes {
		var usage Usage
		var rates Rates
		*usageField(&usage, i) = 1
		for other := range classes {
			*ratesField(&rates, other) = 1
		}
		if _, err := Quote(usage, rates, DefaultMarginPPM, 10); err != nil {
			t.Fatalf("%s with a rate: %v", class, err)
		}
		*ratesField(&rates, i) = 0
		_, err := Quote(usage, rates, DefaultMarginPPM, 10)
		var unpriced *UnpricedError
		if !errors.As(err, &unpriced) || unpriced.Class != class {
			t.Errorf("%s without a rate: got %v, want UnpricedError", class, err)
		}
		if err != nil && !strings.Contains(err.Error(), string(class)) {
			t.Errorf("%q does not name %s", err, class)
		}
	}
}

// TestQuoteAgainstBig compares with the same formula in arbitrary precision.
func TestQuoteAgainstBig(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		usage, rates := drawUsage(t), drawRates(t)
		margin := rapid.OneOf(
			rapid.Int64Range(1, MaxMarginPPM),
			rapid.SampledFrom([]int64{1, 1_000_000, DefaultMarginPPM, MaxMarginPPM}),
		).Draw(t, "margin")
		tokenValue := rapid.OneOf(
			rapid.Int64Range(1, MaxTokenValueMicroUSD),
			rapid.SampledFrom([]int64{1, 10, MaxTokenValueMicroUSD}),
		).Draw(t, "token value")

		wantIn := bigSide(usage, rates, margin, tokenValue, false)
		wantOut := bigSide(usage, rates, margin, tokenValue, true)
		wantTotal := new(big.Int).Add(wantIn, wantOut)

		got, err := Quote(usage, rates, margin, tokenValue)
		if wantTotal.Cmp(big.NewInt(MaxTokens)) > 0 {
			if !errors.Is(err, ErrTooLarge) {
				t.Fatalf("got %+v, %v; exact total %s is above the bound", got, err, wantTotal)
			}
			return
		}
		if err != nil {
			t.Fatalf("exact total %s, got %v", wantTotal, err)
		}
		if big.NewInt(got.In).Cmp(wantIn) != 0 || big.NewInt(got.Out).Cmp(wantOut) != 0 || got.Total != got.In+got.Out {
			t.Fatalf("got %+v, want in %s out %s", got, wantIn, wantOut)
		}
	})
}

// bigSide is the rule of Quote, written a second time in math/big, and class by
// class so that a class on the wrong side is noticed.
func bigSide(usage Usage, rates Rates, margin, tokenValue int64, out bool) *big.Int {
	pairs := [][2]int64{
		{usage.InText, rates.InText}, {usage.InAudio, rates.InAudio}, {usage.InImage, rates.InImage},
		{usage.InCachedText, rates.InCachedText}, {usage.InCachedAudio, rates.InCachedAudio}, {usage.InCachedImage, rates.InCachedImage},
		{usage.InCacheWrite5m, rates.InCacheWrite5m}, {usage.InCacheWrite1h, rates.InCacheWrite1h},
		{usage.Milliseconds, rates.Milliseconds}, {usage.Requests, rates.Requests},
	}
	if out {
		pairs = [][2]int64{{usage.OutText, rates.OutText}, {usage.OutAudio, rates.OutAudio}}
	}
	sum := new(big.Int)
	for _, pair := range pairs {
		sum.Add(sum, new(big.Int).Mul(big.NewInt(pair[0]), big.NewInt(pair[1])))
	}
	sum.Mul(sum, big.NewInt(margin))
	divisor := new(big.Int).Mul(big.NewInt(1_000_000_000_000), big.NewInt(tokenValue))
	quotient, remainder := new(big.Int).QuoRem(sum, divisor, new(big.Int))
	if remainder.Sign() > 0 {
		quotient.Add(quotient, big.NewInt(1))
	}
	return quotient
}

// drawUsage mixes small everyday counts, the whole range and the edges.
func drawUsage(t *rapid.T) Usage {
	var usage Usage
	for i, class := range classes {
		*usageField(&usage, i) = rapid.OneOf(
			rapid.Int64Range(0, 10_000),
			rapid.Int64Range(0, MaxCount),
			rapid.SampledFrom([]int64{0, 1, MaxCount}),
		).Draw(t, "count "+string(class))
	}
	return usage
}

// drawRates gives every class a rate.
func drawRates(t *rapid.T) Rates {
	var rates Rates
	for i, class := range classes {
		*ratesField(&rates, i) = rapid.OneOf(
			rapid.Int64Range(1, 100*MicroUSDPerUSD),
			rapid.Int64Range(1, MaxRate),
			rapid.SampledFrom([]int64{1, MaxRate}),
		).Draw(t, "rate "+string(class))
	}
	return rates
}

func BenchmarkQuote(b *testing.B) {
	usage := Usage{InText: 1200, InAudio: 900, InCachedText: 300, OutText: 80, OutAudio: 700}
	rates := SeedPrices()[0].Rates
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Quote(usage, rates, DefaultMarginPPM, DefaultTokenValueMicroUSD); err != nil {
			b.Fatal(err)
		}
	}
}
