package pricing

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Price is one row of the price book: what a model costs from a moment on. A
// price never changes; a new price is a new row with a later EffectiveFrom.
type Price struct {
	ID        string
	Provider  string // compared without regard to case
	Model     string // compared exactly
	Rates     Rates
	MarginPPM int64 // parts per million; 0 means the operator's default
	// EffectiveFrom is the first moment at which the price is in force. The
	// zero time means always.
	EffectiveFrom time.Time
	// Feature is what a plan must have for the model, such as advanced_models; ""
	// opens it to all.
	Feature string
}

// EffectiveMarginPPM returns the price's own margin, or defaultPPM when it has
// none, in parts per million.
func (p Price) EffectiveMarginPPM(defaultPPM int64) int64 {
	if p.MarginPPM == 0 {
		return defaultPPM
	}
	return p.MarginPPM
}

// Validate checks the rates and the margin (0 to MaxMarginPPM) and otherwise
// returns a *RangeError.
func (p Price) Validate() error {
	if err := p.Rates.Validate(); err != nil {
		return err
	}
	return checkRange("margin in parts per million", p.MarginPPM, 0, MaxMarginPPM)
}

// bookKey identifies a model of a provider.
type bookKey struct {
	provider, model string
}

func newBookKey(provider, model string) bookKey {
	return bookKey{strings.ToLower(provider), model}
}

// Book is an immutable snapshot of all prices, safe for concurrent use. The
// zero Book has no prices.
type Book struct {
	prices map[bookKey][]Price // newest first
}

// NewBook copies the prices into a snapshot. It does not validate them: Quote
// refuses a price that is out of bounds, and so fails closed.
func NewBook(prices []Price) *Book {
	book := &Book{prices: make(map[bookKey][]Price)}
	for _, price := range prices {
		key := newBookKey(price.Provider, price.Model)
		book.prices[key] = append(book.prices[key], price)
	}
	for _, rows := range book.prices {
		slices.SortFunc(rows, newestFirst)
	}
	return book
}

// newestFirst orders by EffectiveFrom, then by ID, both descending.
func newestFirst(a, b Price) int {
	if order := b.EffectiveFrom.Compare(a.EffectiveFrom); order != 0 {
		return order
	}
	return cmp.Compare(b.ID, a.ID)
}

// Find returns the price in force at a moment: of the rows with exactly this
// provider and model, the newest whose EffectiveFrom is not after it. Of two
// rows with the same EffectiveFrom the greater ID wins, so that every process
// answers the same. A model is never matched by a part of its name: the
// original did that and billed the wrong model.
func (b *Book) Find(provider, model string, at time.Time) (Price, bool) {
	rows := b.prices[newBookKey(provider, model)]
	i := slices.IndexFunc(rows, func(row Price) bool {
		return !row.EffectiveFrom.After(at)
	})
	if i < 0 {
		return Price{}, false
	}
	return rows[i], true
}
