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
	ID       string
	Provider string // compared without regard to case
	Model    string // compared exactly, or as a beginning
	// Prefix says that the price is one of every model whose name begins with
	// Model. A price of exactly that model goes before it.
	Prefix    bool
	Rates     Rates
	MarginPPM int64 // parts per million; 0 means the plan's or the operator's
	// Feature is what a caller's plan must have for the model, such as
	// advanced_models; empty opens it to all.
	Feature string
	// EffectiveFrom is the first moment at which the price is in force. The
	// zero time means always.
	EffectiveFrom time.Time
}

// EffectiveMarginPPM returns the price's own margin, else the plan's, else the
// operator's, in parts per million. 0 means that there is none.
func (p Price) EffectiveMarginPPM(planPPM, operatorPPM int64) int64 {
	return cmp.Or(p.MarginPPM, planPPM, operatorPPM)
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
	exact    map[bookKey][]Price // newest first
	prefixes map[bookKey][]Price // newest first, by the beginning of a model's name
	// longest lists a provider's prefixes, the longest first: of two that match,
	// it says more about the model.
	longest map[string][]string
}

// NewBook copies the prices into a snapshot. It does not validate them: Quote
// refuses a price that is out of bounds, and so fails closed.
func NewBook(prices []Price) *Book {
	book := &Book{
		exact:    make(map[bookKey][]Price),
		prefixes: make(map[bookKey][]Price),
		longest:  make(map[string][]string),
	}
	for _, price := range prices {
		key := newBookKey(price.Provider, price.Model)
		if !price.Prefix {
			book.exact[key] = append(book.exact[key], price)
			continue
		}
		if len(book.prefixes[key]) == 0 {
			book.longest[key.provider] = append(book.longest[key.provider], key.model)
		}
		book.prefixes[key] = append(book.prefixes[key], price)
	}
	for _, group := range []map[bookKey][]Price{book.exact, book.prefixes} {
		for _, rows := range group {
			slices.SortFunc(rows, newestFirst)
		}
	}
	for _, models := range book.longest {
		slices.SortFunc(models, longestFirst)
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

func longestFirst(a, b string) int { return cmp.Compare(len(b), len(a)) }

// Find returns the price in force at a moment: the newest row of exactly this
// provider and model whose EffectiveFrom is not after it, else that of the
// longest prefix that has one. Of two rows with the same EffectiveFrom the
// greater ID wins, so that every process answers the same. A model is matched
// by a part of its name only where a row says so: the original always did, and
// billed the wrong model.
func (b *Book) Find(provider, model string, at time.Time) (Price, bool) {
	key := newBookKey(provider, model)
	if price, found := inForce(b.exact[key], at); found {
		return price, true
	}
	for _, prefix := range b.longest[key.provider] {
		if !strings.HasPrefix(model, prefix) {
			continue
		}
		if price, found := inForce(b.prefixes[bookKey{key.provider, prefix}], at); found {
			return price, true
		}
	}
	return Price{}, false
}

// inForce returns the newest of the rows that has begun.
func inForce(newestFirst []Price, at time.Time) (Price, bool) {
	i := slices.IndexFunc(newestFirst, func(row Price) bool { return !row.EffectiveFrom.After(at) })
	if i < 0 {
		return Price{}, false
	}
	return newestFirst[i], true
}

// Models lists the prices in force of a provider's models that have one of their
// own, by name. What a prefix matches cannot be listed.
func (b *Book) Models(provider string, at time.Time) []Price {
	var models []Price
	provider = strings.ToLower(provider)
	for key, rows := range b.exact {
		if key.provider != provider {
			continue
		}
		if price, found := inForce(rows, at); found {
			models = append(models, price)
		}
	}
	slices.SortFunc(models, func(a, b Price) int { return cmp.Compare(a.Model, b.Model) })
	return models
}
