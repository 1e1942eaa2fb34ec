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
		{"a price by the call contains the tokens", Rates{Requests: 1}, Usage{InText: 5, OutText: 3, Requests: 1}, Usage{Requests: 1}, []Class{ClassInText, ClassOutText}},
		{"but not those of a class that it prices", Rates{InText: 1, Requests: 1}, Usage{InText: 5, InAudio: 2, Requests: 1}, Usage{InText: 7, Requests: 1}, []Class{ClassInAudio}},
		{"nor time", Rates{Requests: 1}, Usage{Milliseconds: 9, Requests: 1}, Usage{Milliseconds: 9, Requests: 1}, nil},
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

func TestFoldsCheaper(t *testing.T) {
	t.Parallel()
	text := Rates{InText: 1, OutText: 4}
	for _, test := range []struct {
		class Class
		rates Rates
		want  bool
	}{
		{ClassOutAudio, text, true},
		{ClassInAudio, text, true},
		{ClassInImage, text, true},
		{ClassInCacheWrite1h, text, true},
		{ClassInCachedAudio, text, true},
		{ClassInCachedText, text, false},
		{ClassInCachedAudio, Rates{InText: 1, InAudio: 9}, false},
		{ClassOutAudio, Rates{OutText: 4, OutAudio: 8}, false},
		{ClassOutAudio, Rates{InText: 1}, false},
		{ClassInText, Rates{Requests: 1}, false},
		{"unknown", text, false},
	} {
		if got := FoldsCheaper(test.class, test.rates); got != test.want {
			t.Errorf("%s in %+v: got %t", test.class, test.rates, got)
		}
	}
}

func TestSoundAsText(t *testing.T) {
	t.Parallel()
	sound := Usage{InText: 5, InAudio: 5, OutText: 5, OutAudio: 5, Requests: 1}
	for _, test := range []struct {
		name  string
		usage Usage
		rates Rates
		want  []Class
	}{
		{"text only", Usage{InText: 5, OutText: 5}, Rates{InText: 1, OutText: 1}, nil},
		{"at the rates of text", sound, Rates{InText: 1, OutText: 1}, []Class{ClassInAudio, ClassOutAudio}},
		{"heard only", sound, Rates{InText: 1, InAudio: 1, OutText: 1}, []Class{ClassOutAudio}},
		{"with rates", sound, Rates{InText: 1, InAudio: 1, OutText: 1, OutAudio: 1}, nil},
		{"by the call", sound, Rates{Requests: 1}, nil},
		{"by time", Usage{InAudio: 5, OutText: 5, Milliseconds: 5}, Rates{InText: 1, Milliseconds: 1, OutText: 1}, nil},
		{"by the character", Usage{InText: 5, OutAudio: 5}, Rates{InText: 1}, nil},
	} {
		if got := SoundAsText(test.usage, test.rates); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// Nothing is lost or invented by moving it, unless a price by the call contains it.
func TestFoldKeepsTheSum(t *testing.T) {
	t.Parallel()
	values := rapid.SliceOfN(rapid.Int64Range(0, 50), classCount, classCount)
	rapid.Check(t, func(t *rapid.T) {
		usage := usageOf([classCount]int64(values.Draw(t, "usage")))
		rates := Rates(usageOf([classCount]int64(values.Draw(t, "rates"))))
		if usage.Requests > 0 {
			rates.Requests = 0
		}
		folded, _ := Fold(usage, rates)
		if folded.InputTokens() != usage.InputTokens() || folded.OutputTokens() != usage.OutputTokens() ||
			folded.Milliseconds != usage.Milliseconds || folded.Requests != usage.Requests {
			t.Fatalf("%+v became %+v", usage, folded)
		}
		if rates.InText > 0 && rates.OutText > 0 && rates.Milliseconds > 0 && usage.Requests == 0 {
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

func TestFit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		rates Rates
		usage Usage
		want  Usage
	}{
		{"speech by characters", Rates{InText: 1}, Usage{InText: 9, OutAudio: 14, Requests: 1}, Usage{InText: 9}},
		{"transcription by time", Rates{Milliseconds: 1}, Usage{Milliseconds: 9, InAudio: 5, OutText: 2, Requests: 1}, Usage{Milliseconds: 9}},
		{"transcription by tokens", Rates{InAudio: 1, OutText: 1}, Usage{Milliseconds: 9, InAudio: 5, OutText: 2}, Usage{InAudio: 5, OutText: 2}},
		{"a picture by the call", Rates{Requests: 1}, Usage{InText: 9, OutText: 6000, Requests: 3}, Usage{Requests: 3}},
		{"a discount that the price does not name", Rates{InText: 1}, Usage{InCachedText: 9}, Usage{InText: 9}},
		{"nothing fits", Rates{Milliseconds: 1}, Usage{InText: 9}, Usage{InText: 9}},
	}
	for _, test := range tests {
		if got := Fit(test.usage, test.rates); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestPerCall(t *testing.T) {
	t.Parallel()
	usage := Usage{InText: 5, Requests: 2}
	if got := PerCall(usage, Rates{InText: 1, Requests: 1}); got != usage {
		t.Errorf("a price by the call lost them: %+v", got)
	}
	if got := PerCall(usage, Rates{InText: 1}); got != (Usage{InText: 5}) {
		t.Errorf("a price by the token kept them: %+v", got)
	}
}
