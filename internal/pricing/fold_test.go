package pricing

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	t.Parallel()
	text := Rates{InText: 100, OutText: 400}
	tests := []struct {
		name  string
		rates Rates
		usage Usage
		want  Usage
		moved []Class
	}{
		{"everything has a rate", Rates{InText: 1, InCachedText: 1, OutText: 1}, Usage{InText: 5, InCachedText: 7, OutText: 3},
			Usage{InText: 5, InCachedText: 7, OutText: 3}, nil},
		{"a cached token is a fresh one without a discount", text, Usage{InText: 5, InCachedText: 7}, Usage{InText: 12}, []Class{ClassInCachedText}},
		{"cached audio is audio first", Rates{InText: 1, InAudio: 9}, Usage{InCachedAudio: 7}, Usage{InAudio: 7}, []Class{ClassInCachedAudio}},
		{"cached audio is text at last", text, Usage{InCachedAudio: 7}, Usage{InText: 7}, []Class{ClassInCachedAudio}},
		{"a long write is a short one first", Rates{InText: 1, InCacheWrite5m: 2}, Usage{InCacheWrite1h: 4}, Usage{InCacheWrite5m: 4}, []Class{ClassInCacheWrite1h}},
		{"two classes meet", text, Usage{InAudio: 1, InImage: 2, OutAudio: 3}, Usage{InText: 3, OutText: 3}, []Class{ClassInAudio, ClassInImage, ClassOutAudio}},
		{"time is not text", text, Usage{Milliseconds: 9}, Usage{Milliseconds: 9}, nil},
		{"text is not time", Rates{Milliseconds: 1}, Usage{InText: 9}, Usage{InText: 9}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, moved := Fold(test.usage, test.rates)
			if got != test.want || !slices.Equal(moved, test.moved) {
				t.Errorf("got %+v, moved %v; want %+v, %v", got, moved, test.want, test.moved)
			}
		})
	}
}

// Nothing is lost or invented by moving it.
func TestFoldKeepsTheSum(t *testing.T) {
	t.Parallel()
	values := rapid.SliceOfN(rapid.Int64Range(0, 50), classCount, classCount)
	rapid.Check(t, func(t *rapid.T) {
		usage := usageOf([classCount]int64(values.Draw(t, "usage")))
		rates := Rates(usageOf([classCount]int64(values.Draw(t, "rates"))))
		folded, _ := Fold(usage, rates)
		if folded.InputTokens() != usage.InputTokens() || folded.OutputTokens() != usage.OutputTokens() ||
			folded.Milliseconds != usage.Milliseconds || folded.Requests != usage.Requests {
			t.Fatalf("%+v became %+v", usage, folded)
		}
		if rates.InText > 0 && rates.OutText > 0 && rates.Milliseconds > 0 && rates.Requests > 0 {
			if err := checkPriced(folded, rates); err != nil {
				t.Fatalf("still unpriced: %v", err)
			}
		}
	})
}

func TestEveryNearClassExists(t *testing.T) {
	t.Parallel()
	for class, others := range nearest {
		for _, known := range append([]Class{class}, others...) {
			if classIndex(known) < 0 {
				t.Errorf("%s is no class", known)
			}
		}
	}
}

func TestUsageOfReversesValues(t *testing.T) {
	t.Parallel()
	var counts [classCount]int64
	for i := range counts {
		counts[i] = int64(i + 1)
	}
	if got := usageOf(counts).values(); got != counts {
		t.Errorf("got %v, want %v", got, counts)
	}
}
