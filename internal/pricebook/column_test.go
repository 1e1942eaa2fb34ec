package pricebook

import (
	"errors"
	"testing"

	"sokuji/internal/pricing"
)

func TestCheckNew(t *testing.T) {
	t.Parallel()
	text := pricing.Rates{InText: 10, OutText: 40}
	priced := func(change func(*pricing.Price)) pricing.Price {
		price := openAI("gpt-4o", text)
		change(&price)
		return price
	}
	for _, test := range []struct {
		name   string
		price  pricing.Price
		column string
	}{
		{"sound", openAI("gpt-4o", text), ""},
		{"a family", priced(func(p *pricing.Price) { p.Prefix = true }), ""},
		{"a discount", priced(func(p *pricing.Price) { p.Rates.InCachedText = 5 }), ""},
		{"by the call", openAI("m", pricing.Rates{Requests: 1}), ""},
		{"a star", openAI("gpt-4o*", text), "model"},
		{"a star in a family", priced(func(p *pricing.Price) { p.Prefix, p.Model = true, "gpt-4o*" }), "model"},
		{"a space", openAI(" gpt-4o", text), "model"},
		{"a space at the end", priced(func(p *pricing.Price) { p.Provider = "openai " }), "provider"},
		{"a line break", priced(func(p *pricing.Price) { p.Feature = "advanced_models\n" }), "feature"},
		{"no rate", openAI("m", pricing.Rates{}), "in_text"},
		{"a discount of nothing", openAI("m", pricing.Rates{InText: 1, InCachedAudio: 1}), "in_cached_audio"},
	} {
		column := ""
		if wrong, ok := errors.AsType[*ColumnError](CheckNew(test.price)); ok {
			column = wrong.Column
		}
		if column != test.column {
			t.Errorf("%s: refused is %q, want %q", test.name, column, test.column)
		}
	}
}
