package pricebook

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"

	"sokuji/internal/pricing"
)

// Used is one recorded use.
type Used struct {
	Plan            string // of who paid; empty: none
	PlanMarginPPM   int64  // 0: the operator's holds
	Provider, Model string
	Usage           pricing.Usage
	Charged         int64 // tokens
}

// Terms are the operator's own part of every price.
type Terms struct {
	MarginPPM          int64
	TokenValueMicroUSD int64
}

// Sum is what uses were charged and would have been, in tokens.
type Sum struct {
	Plan          string
	Uses          int64
	Charged       int64
	WouldBe       int64
	Unknown       int64 // uses of models that the candidate does not have; they count as charged
	Unpriceable   int64 // uses that the candidate refuses; likewise
	WithoutCounts int64 // uses by amount alone; likewise
}

// Difference is what the candidate adds.
func (s Sum) Difference() int64 { return s.WouldBe - s.Charged }

// WhatIf reprices uses with a candidate book, one after another.
type WhatIf struct {
	book  *pricing.Book
	at    time.Time
	terms Terms
	plans map[string]*Sum
}

// NewWhatIf takes the candidate as if all of its rows were in force already: of
// each model the newest holds.
func NewWhatIf(candidate []pricing.Price, terms Terms, now time.Time) *WhatIf {
	at := now
	for _, price := range candidate {
		if price.EffectiveFrom.After(at) {
			at = price.EffectiveFrom
		}
	}
	return &WhatIf{book: pricing.NewBook(candidate), at: at, terms: terms, plans: map[string]*Sum{}}
}

// ErrTooMany says that the sums leave their bounds.
var ErrTooMany = errors.New("the sums of these uses are too large: choose fewer days")

// Add reprices one use.
func (w *WhatIf) Add(use Used) error {
	sum := w.plans[use.Plan]
	if sum == nil {
		sum = &Sum{Plan: use.Plan}
		w.plans[use.Plan] = sum
	}
	wouldBe := w.reprice(use, sum)
	if sum.Charged > math.MaxInt64-use.Charged || sum.WouldBe > math.MaxInt64-wouldBe {
		return ErrTooMany
	}
	sum.Uses++
	sum.Charged += use.Charged
	sum.WouldBe += wouldBe
	return nil
}

// reprice says what a use would have cost, and counts why it cannot be said.
func (w *WhatIf) reprice(use Used, sum *Sum) int64 {
	if use.Provider == "" && use.Model == "" {
		sum.WithoutCounts++
		return use.Charged
	}
	price, found := w.book.Find(use.Provider, use.Model, w.at)
	if !found {
		sum.Unknown++
		return use.Charged
	}
	usage, _ := pricing.Fold(pricing.PerCall(use.Usage, price.Rates), price.Rates)
	margin := price.EffectiveMarginPPM(use.PlanMarginPPM, w.terms.MarginPPM)
	charge, err := pricing.Quote(usage, price.Rates, margin, w.terms.TokenValueMicroUSD)
	if err != nil {
		sum.Unpriceable++
		return use.Charged
	}
	return charge.Total
}

// Sums lists the plans by name.
func (w *WhatIf) Sums() []Sum {
	sums := make([]Sum, 0, len(w.plans))
	for _, sum := range w.plans {
		sums = append(sums, *sum)
	}
	slices.SortFunc(sums, func(a, b Sum) int { return cmp.Compare(a.Plan, b.Plan) })
	return sums
}

// Total adds the sums of all plans.
func Total(sums []Sum) (Sum, error) {
	total := Sum{Plan: "total"}
	for _, sum := range sums {
		if total.Charged > math.MaxInt64-sum.Charged || total.WouldBe > math.MaxInt64-sum.WouldBe {
			return total, ErrTooMany
		}
		total.Uses += sum.Uses
		total.Charged += sum.Charged
		total.WouldBe += sum.WouldBe
		total.Unknown += sum.Unknown
		total.Unpriceable += sum.Unpriceable
		total.WithoutCounts += sum.WithoutCounts
	}
	return total, nil
}
