package pricebook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"sokuji/internal/pricing"
)

// Severity says whether something must be done about a finding.
type Severity string

// The severities.
const (
	Problem Severity = "problem" // calls are refused, or charged otherwise than the book says
	Note    Severity = "note"    // worth to know
)

// Finding is one thing that a check found.
type Finding struct {
	Severity Severity
	Price    string // provider and model
	Text     string
}

func (f Finding) String() string { return fmt.Sprintf("%s: %s: %s", f.Severity, f.Price, f.Text) }

// Observed is what calls of one model were counted in.
type Observed struct {
	Provider, Model string
	Usage           pricing.Usage // sums, of which only zero or not matters
	Calls           int64
}

// Check looks for what is odd in a book at a moment, and for what was used and has
// no price in it. The problems come first.
func Check(prices []pricing.Price, observed []Observed, at time.Time) []Finding {
	var findings []Finding
	for _, price := range prices {
		findings = append(findings, checkPrice(price, at)...)
	}
	findings = append(findings, checkTies(prices)...)
	findings = append(findings, checkPrefixes(prices)...)
	findings = append(findings, checkObserved(pricing.NewBook(prices), observed, at)...)
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Price, b.Price))
	})
	return findings
}

// Name is how a price is called in a finding.
func Name(price pricing.Price) string {
	name := strings.ToLower(price.Provider) + " " + price.Model
	if price.Prefix {
		name += "*"
	}
	return name
}

func checkPrice(price pricing.Price, at time.Time) []Finding {
	var findings []Finding
	add := func(severity Severity, format string, parts ...any) {
		findings = append(findings, Finding{severity, Name(price), fmt.Sprintf(format, parts...)})
	}
	if err := price.Validate(); err != nil {
		add(Problem, "%v", err)
	}
	rates := price.Rates
	if rates == (pricing.Rates{}) {
		add(Problem, "it has no rate at all, so every call is refused")
	}
	for _, pair := range discounts(rates) {
		switch {
		case pair.read > 0 && pair.full == 0:
			add(Problem, "%s has a rate, but %s has none", pair.cached, pair.fresh)
		case pair.read > pair.full:
			add(Note, "%s costs more than %s", pair.cached, pair.fresh)
		}
	}
	if price.MarginPPM > 0 && price.MarginPPM < oneMargin {
		add(Note, "its margin of %d parts per million sells below the provider's cost", price.MarginPPM)
	}
	if price.EffectiveFrom.After(at) {
		add(Note, "it is in force from %s on", price.EffectiveFrom.UTC().Format(time.RFC3339))
	}
	return findings
}

// oneMargin is the margin at which the provider's cost is charged as it is.
const oneMargin = 1_000_000

// identity is what two rows of the same price share.
type identity struct {
	name string
	from int64 // Unix milliseconds
}

// checkTies finds rows of the same moment, of which only one can hold.
func checkTies(prices []pricing.Price) []Finding {
	rows := map[identity]int{}
	for _, price := range prices {
		rows[identity{Name(price), price.EffectiveFrom.UnixMilli()}]++
	}
	var findings []Finding
	for which, count := range rows {
		if count > 1 {
			findings = append(findings, Finding{Note, which.name, fmt.Sprintf("%d rows begin at the same moment: the one with the greatest id holds", count)})
		}
	}
	return findings
}

// checkPrefixes finds prefixes that begin other prefixes.
func checkPrefixes(prices []pricing.Price) []Finding {
	var names []string
	for _, price := range prices {
		if price.Prefix {
			names = append(names, strings.TrimSuffix(Name(price), "*"))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	var findings []Finding
	for i, shorter := range names {
		for _, longer := range names[i+1:] {
			if !strings.HasPrefix(longer, shorter) {
				break // they are sorted
			}
			findings = append(findings, Finding{Note, shorter + "*", fmt.Sprintf("it also matches models of %s*, for which the longer one holds", longer)})
		}
	}
	return findings
}

// checkObserved finds what calls were counted in and the book does not price.
func checkObserved(book *pricing.Book, observed []Observed, at time.Time) []Finding {
	var findings []Finding
	for _, seen := range observed {
		name := strings.ToLower(seen.Provider) + " " + seen.Model
		price, found := book.Find(seen.Provider, seen.Model, at)
		if !found {
			findings = append(findings, Finding{Problem, name, fmt.Sprintf("it was called %d times and has no price in force: its calls are refused", seen.Calls)})
			continue
		}
		usage := pricing.PerCall(seen.Usage, price.Rates)
		folded, moved := pricing.Fold(usage, price.Rates)
		for _, class := range moved {
			finding := Finding{Note, name, fmt.Sprintf("%s was counted, but has no rate: it is charged at the nearest one", class)}
			if pricing.FoldsCheaper(class, price.Rates) {
				finding.Severity = Problem
				finding.Text += ", which may be below its cost: add a price row that has one"
			}
			findings = append(findings, finding)
		}
		for _, class := range pricing.Unpriced(folded, price.Rates) {
			findings = append(findings, Finding{Problem, name, fmt.Sprintf("%s was counted, but has no rate and none near it", class)})
		}
	}
	return findings
}
