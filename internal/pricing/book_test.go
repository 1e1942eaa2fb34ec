package pricing

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// day returns midnight of a day in January 2026.
func day(n int) time.Time { return time.Date(2026, time.January, n, 0, 0, 0, 0, time.UTC) }

func TestBookFind(t *testing.T) {
	t.Parallel()
	book := NewBook([]Price{
		{ID: "second", Provider: "openai", Model: "gpt-4o", EffectiveFrom: day(10)},
		{ID: "first", Provider: "openai", Model: "gpt-4o", EffectiveFrom: day(1)},
		{ID: "third", Provider: "OpenAI", Model: "gpt-4o", EffectiveFrom: day(20)},
		{ID: "tie-b", Provider: "openai", Model: "tied", EffectiveFrom: day(1)},
		{ID: "tie-a", Provider: "openai", Model: "tied", EffectiveFrom: day(1)},
		{ID: "always", Provider: "anthropic", Model: "claude"},
		{ID: "zoned", Provider: "openai", Model: "zoned", EffectiveFrom: day(5).In(time.FixedZone("east", 9*3600))},
	})
	tests := []struct {
		name, provider, model string
		at                    time.Time
		want                  string // "" means none
	}{
		{"before the first", "openai", "gpt-4o", day(1).Add(-time.Nanosecond), ""},
		{"at the very moment", "openai", "gpt-4o", day(1), "first"},
		{"between", "openai", "gpt-4o", day(10).Add(-time.Nanosecond), "first"},
		{"the second", "openai", "gpt-4o", day(10), "second"},
		{"a row's provider in another case", "openai", "gpt-4o", day(25), "third"},
		{"the caller's provider in another case", "OPENAI", "gpt-4o", day(11), "second"},
		{"the model's case counts", "openai", "GPT-4o", day(25), ""},
		{"a longer model name is another model", "openai", "gpt-4o-mini", day(25), ""},
		{"a shorter model name is another model", "openai", "gpt-4", day(25), ""},
		{"another provider", "azure", "gpt-4o", day(25), ""},
		{"the greater id wins a tie", "openai", "tied", day(2), "tie-b"},
		{"the zero time is always in force", "anthropic", "claude", time.Time{}, "always"},
		{"time zones do not matter", "openai", "zoned", day(5), "zoned"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, found := book.Find(test.provider, test.model, test.at)
			if found != (test.want != "") || got.ID != test.want {
				t.Fatalf("got %q, %v; want %q", got.ID, found, test.want)
			}
		})
	}
}

func TestBookFindsByPrefix(t *testing.T) {
	t.Parallel()
	book := NewBook([]Price{
		{ID: "gpt", Provider: "openai", Model: "gpt-", Prefix: true},
		{ID: "4o", Provider: "openai", Model: "gpt-4o", Prefix: true},
		{ID: "4o-new", Provider: "openai", Model: "gpt-4o", Prefix: true, EffectiveFrom: day(20)},
		{ID: "mini", Provider: "openai", Model: "gpt-4o-mini", EffectiveFrom: day(10)},
		{ID: "soon", Provider: "openai", Model: "gpt-4o-mini-tts", Prefix: true, EffectiveFrom: day(30)},
		{ID: "all", Provider: "local", Model: "", Prefix: true},
	})
	tests := []struct {
		name, provider, model string
		at                    time.Time
		want                  string
	}{
		{"the longest prefix", "openai", "gpt-4o-2024-08-06", day(1), "4o"},
		{"its newest row", "openai", "gpt-4o-2024-08-06", day(20), "4o-new"},
		{"a shorter prefix", "openai", "gpt-3.5", day(1), "gpt"},
		{"the prefix itself", "openai", "gpt-4o", day(1), "4o"},
		{"an exact row before any prefix", "openai", "gpt-4o-mini", day(10), "mini"},
		{"an exact row that is not in force yet", "openai", "gpt-4o-mini", day(9), "4o"},
		{"an exact row is no prefix", "openai", "gpt-4o-mini-x", day(10), "4o"},
		{"a longer prefix that is not in force yet", "openai", "gpt-4o-mini-tts-1", day(10), "4o"},
		{"in the middle of a name", "openai", "my-gpt-4o", day(10), ""},
		{"the case counts", "openai", "GPT-4o", day(10), ""},
		{"another provider's", "azure", "gpt-4o-x", day(10), ""},
		{"the empty prefix is every model", "Local", "whatever", day(10), "all"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, found := book.Find(test.provider, test.model, test.at)
			if found != (test.want != "") || got.ID != test.want {
				t.Fatalf("got %q, %v; want %q", got.ID, found, test.want)
			}
		})
	}
}

func TestBookModels(t *testing.T) {
	t.Parallel()
	book := NewBook([]Price{
		{ID: "b", Provider: "openai", Model: "b"},
		{ID: "a-new", Provider: "OpenAI", Model: "a", EffectiveFrom: day(10)},
		{ID: "a", Provider: "openai", Model: "a"},
		{ID: "later", Provider: "openai", Model: "later", EffectiveFrom: day(20)},
		{ID: "prefix", Provider: "openai", Model: "c-", Prefix: true},
		{ID: "other", Provider: "anthropic", Model: "d"},
	})
	var got []string
	for _, price := range book.Models("OPENAI", day(10)) {
		got = append(got, price.ID)
	}
	if want := []string{"a-new", "b"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEmptyBookFindsNothing(t *testing.T) {
	t.Parallel()
	for name, book := range map[string]*Book{"no prices": NewBook(nil), "zero": {}} {
		if price, found := book.Find("openai", "gpt-4o", day(1)); found {
			t.Errorf("%s: found %+v", name, price)
		}
	}
}

func TestBookIsASnapshot(t *testing.T) {
	t.Parallel()
	rows := []Price{{ID: "one", Provider: "openai", Model: "m", Rates: Rates{InText: 5}}}
	book := NewBook(rows)
	rows[0].Rates.InText = 1
	got, _ := book.Find("openai", "m", day(1))
	if got.Rates.InText != 5 {
		t.Fatalf("a later change of the caller's slice reached the book: %+v", got)
	}
	got.Rates.InText = 2
	if again, _ := book.Find("openai", "m", day(1)); again.Rates.InText != 5 {
		t.Fatalf("a change of the answer reached the book: %+v", again)
	}
}

// TestBookFindAgainstScan compares with a plain scan over all rows, whose order
// must not matter.
func TestBookFindAgainstScan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Price {
			return Price{
				ID:            rapid.StringMatching(`[a-c]{2}`).Draw(t, "id"),
				Provider:      rapid.SampledFrom([]string{"openai", "OpenAI", "other"}).Draw(t, "provider"),
				Model:         rapid.SampledFrom([]string{"m", "M"}).Draw(t, "model"),
				EffectiveFrom: day(rapid.IntRange(1, 6).Draw(t, "day")),
			}
		}), 0, 12).Draw(t, "rows")
		at := day(rapid.IntRange(0, 7).Draw(t, "at"))

		var want *Price
		for i, row := range rows {
			if row.Provider == "other" || row.Model != "m" || row.EffectiveFrom.After(at) {
				continue
			}
			newer := want == nil || row.EffectiveFrom.After(want.EffectiveFrom)
			tied := want != nil && row.EffectiveFrom.Equal(want.EffectiveFrom)
			if newer || tied && row.ID > want.ID {
				want = &rows[i]
			}
		}

		shuffled := slices.Clone(rows)
		slices.Reverse(shuffled)
		for _, order := range [][]Price{rows, shuffled} {
			got, found := NewBook(order).Find("openai", "m", at)
			if found != (want != nil) || found && (got.ID != want.ID || !got.EffectiveFrom.Equal(want.EffectiveFrom)) {
				t.Fatalf("got %+v, %v; want %+v", got, found, want)
			}
		}
	})
}

func TestPriceMargin(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                            string
		price, plan, operator, expected int64
	}{
		{"the operator's", 0, 0, 1_500_000, 1_500_000},
		{"the plan's before the operator's", 0, 1_300_000, 1_500_000, 1_300_000},
		{"the price's own before both", 1_100_000, 1_300_000, 1_500_000, 1_100_000},
	}
	for _, test := range tests {
		if got := (Price{MarginPPM: test.price}).EffectiveMarginPPM(test.plan, test.operator); got != test.expected {
			t.Errorf("%s: got %d, want %d", test.name, got, test.expected)
		}
	}
}

func TestPriceValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		price Price
		field string // "" means valid
	}{
		{"the default margin", Price{Rates: Rates{InText: 1}}, ""},
		{"the largest margin", Price{MarginPPM: MaxMarginPPM}, ""},
		{"negative margin", Price{MarginPPM: -1}, "margin in parts per million"},
		{"margin above the bound", Price{MarginPPM: MaxMarginPPM + 1}, "margin in parts per million"},
		{"negative rate", Price{Rates: Rates{OutText: -1}}, "out_text"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := test.price.Validate()
			var rangeError *RangeError
			if test.field == "" && err != nil {
				t.Fatal(err)
			}
			if test.field != "" && (!errors.As(err, &rangeError) || rangeError.Field != test.field) {
				t.Fatalf("got %v, want a RangeError of %q", err, test.field)
			}
		})
	}
}
