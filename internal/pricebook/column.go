package pricebook

import (
	"fmt"
	"strings"

	"sokuji/internal/pricing"
)

// ColumnError says what is wrong with one column of a price, and what to write.
type ColumnError struct {
	Column string
	Text   string
}

func (e *ColumnError) Error() string { return e.Column + " " + e.Text }

// CheckNew refuses a price that could never hold, or not as it is meant. A row never
// changes, so what is wrong with it stays.
func CheckNew(price pricing.Price) error {
	for _, name := range []struct{ column, text string }{
		{columnProvider, price.Provider}, {columnModel, price.Model}, {columnFeature, price.Feature},
	} {
		if strings.TrimSpace(name.text) != name.text {
			return &ColumnError{name.column, "has spaces around it, and names are compared exactly: write it without"}
		}
	}
	if strings.Contains(price.Model, "*") {
		return &ColumnError{columnModel, fmt.Sprintf("has a *, which is no part of a name: write the beginning alone and choose %q as match", MatchPrefix)}
	}
	if price.Rates == (pricing.Rates{}) {
		return &ColumnError{string(pricing.ClassInText), "and all other rates are 0, and 0 is no price but none: give at least one"}
	}
	for _, pair := range discounts(price.Rates) {
		if pair.read > 0 && pair.full == 0 {
			return &ColumnError{string(pair.cached), fmt.Sprintf("has a rate, but %s has none: give both", pair.fresh)}
		}
	}
	return nil
}

// discount is a rate for cached input, with that of the same input when it is fresh.
type discount struct {
	cached, fresh pricing.Class
	read, full    int64
}

func discounts(rates pricing.Rates) []discount {
	return []discount{
		{pricing.ClassInCachedText, pricing.ClassInText, rates.InCachedText, rates.InText},
		{pricing.ClassInCachedAudio, pricing.ClassInAudio, rates.InCachedAudio, rates.InAudio},
		{pricing.ClassInCachedImage, pricing.ClassInImage, rates.InCachedImage, rates.InImage},
	}
}
