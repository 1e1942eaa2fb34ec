package pricing

import (
	"errors"
	"fmt"
)

// Bounds and defaults of a quote.
const (
	// MaxTokens is the largest charge and the largest grant, in tokens: the
	// largest amount of one ledger entry.
	MaxTokens int64 = 1_000_000_000_000_000

	// DefaultMarginPPM is the price over the provider's cost in parts per
	// million: 1.2 times, as the original service charged.
	DefaultMarginPPM int64 = 1_200_000
	// MaxMarginPPM is the largest margin, in parts per million: 1,000 times.
	MaxMarginPPM int64 = 1_000_000_000

	// DefaultTokenValueMicroUSD is what one wallet token is worth, in micro-USD.
	DefaultTokenValueMicroUSD int64 = 10
	// MaxTokenValueMicroUSD is the largest token value, in micro-USD: 1 USD.
	MaxTokenValueMicroUSD int64 = 1_000_000
)

// quoteScale divides a product of count, rate and margin: 10^6 because a rate
// is per million units, times 10^6 because the margin is in parts per million.
const quoteScale uint64 = 1_000_000_000_000

// ErrTooLarge says that a charge would exceed MaxTokens.
var ErrTooLarge = errors.New("the charge exceeds the largest amount of one entry, 10^15 tokens")

// UnpricedError says that usage of a class was counted for which the price has
// no rate. Charging nothing would give that usage away, so it is an error.
type UnpricedError struct {
	Class Class
}

// Error names the class.
func (e *UnpricedError) Error() string {
	return fmt.Sprintf("this price has no rate for %s: add a price row that has one", e.Class)
}

// Charge is what a usage costs, in whole tokens. Total is In + Out.
type Charge struct {
	In, Out, Total int64
}

// Quote prices a usage. Each side is
//
//	tokens = ceil(Σ count × rate × marginPPM ÷ (10^12 × tokenValueMicroUSD))
//
// in exact 128-bit integers, rounded up once a side. Milliseconds and Requests
// belong to the in side. This is the original service's rule, ratio = provider
// cost ÷ 10 × 1.2 and ceil(tokens × ratio), without its rounding errors.
//
// Errors: *RangeError when an argument is out of its bounds (marginPPM from 1
// to MaxMarginPPM, tokenValueMicroUSD from 1 to MaxTokenValueMicroUSD),
// *UnpricedError when a counted class has no rate, ErrTooLarge when the total
// exceeds MaxTokens.
func Quote(usage Usage, rates Rates, marginPPM, tokenValueMicroUSD int64) (Charge, error) {
	if err := checkQuote(usage, rates, marginPPM, tokenValueMicroUSD); err != nil {
		return Charge{}, err
	}
	counts, prices := usage.values(), rates.values()
	divisor := quoteScale * uint64(tokenValueMicroUSD)

	in, err := quoteSide(counts[:firstOutClass], prices[:firstOutClass], uint64(marginPPM), divisor)
	if err != nil {
		return Charge{}, err
	}
	out, err := quoteSide(counts[firstOutClass:], prices[firstOutClass:], uint64(marginPPM), divisor)
	if err != nil {
		return Charge{}, err
	}
	if in+out > MaxTokens {
		return Charge{}, ErrTooLarge
	}
	return Charge{In: in, Out: out, Total: in + out}, nil
}

// checkQuote checks every bound before any arithmetic.
func checkQuote(usage Usage, rates Rates, marginPPM, tokenValueMicroUSD int64) error {
	if err := usage.Validate(); err != nil {
		return err
	}
	if err := rates.Validate(); err != nil {
		return fmt.Errorf("rate: %w", err)
	}
	if err := checkRange("margin in parts per million", marginPPM, 1, MaxMarginPPM); err != nil {
		return err
	}
	if err := checkRange("token value in micro-USD", tokenValueMicroUSD, 1, MaxTokenValueMicroUSD); err != nil {
		return err
	}
	return checkPriced(usage, rates)
}

// checkPriced returns an *UnpricedError for the first counted class without a
// rate.
func checkPriced(usage Usage, rates Rates) error {
	prices := rates.values()
	for i, count := range usage.values() {
		if count > 0 && prices[i] == 0 {
			return &UnpricedError{Class: classes[i]}
		}
	}
	return nil
}

// Unpriced lists the counted classes that a price has no rate for.
func Unpriced(usage Usage, rates Rates) []Class {
	var unpriced []Class
	prices := rates.values()
	for i, count := range usage.values() {
		if count > 0 && prices[i] == 0 {
			unpriced = append(unpriced, classes[i])
		}
	}
	return unpriced
}

// Of is the rate of one class; 0 for a class that does not exist.
func (r Rates) Of(class Class) int64 {
	if i := classIndex(class); i >= 0 {
		return r.values()[i]
	}
	return 0
}

// quoteSide returns ceil(Σ count × price × margin ÷ divisor). Counts and prices
// are not negative.
//
// Within the bounds that Quote checks, the largest product is below 2^114. The
// sums are checked all the same, so that a bound raised later cannot wrap.
func quoteSide(counts, prices []int64, margin, divisor uint64) (int64, error) {
	var cost uint128
	for i, count := range counts {
		var fits bool
		if cost, fits = cost.add(multiply(uint64(count), uint64(prices[i]))); !fits {
			return 0, ErrTooLarge
		}
	}
	scaled, fits := cost.times(margin)
	if !fits {
		return 0, ErrTooLarge
	}
	tokens, remainder, fits := scaled.divide(divisor)
	if !fits || tokens > uint64(MaxTokens) {
		return 0, ErrTooLarge
	}
	if remainder > 0 {
		tokens++
	}
	return int64(tokens), nil
}
