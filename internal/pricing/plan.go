package pricing

import "math"

// PlanGrant returns the tokens that a payment for a plan mints, rounded down,
// and the cents it did not need:
//
//	tokens = floor(quotaTokens × min(paidCents ÷ priceCents, 1))
//
// This is the original service's rule, in exact 128-bit integers. A payment
// above the price mints the quota, and the rest is named in unusedCents. A
// plan with price 0 is not for sale: it mints 0 and the whole payment is
// unused. The error is a *RangeError when an argument is negative or
// quotaTokens exceeds MaxTokens.
func PlanGrant(quotaTokens, paidCents, priceCents int64) (tokens, unusedCents int64, err error) {
	if err := checkRange("quota in tokens", quotaTokens, 0, MaxTokens); err != nil {
		return 0, 0, err
	}
	if err := checkRange("paid amount in cents", paidCents, 0, math.MaxInt64); err != nil {
		return 0, 0, err
	}
	if err := checkRange("price in cents", priceCents, 0, math.MaxInt64); err != nil {
		return 0, 0, err
	}
	if priceCents == 0 {
		return 0, paidCents, nil
	}
	if paidCents >= priceCents {
		return quotaTokens, paidCents - priceCents, nil
	}
	// paid < price, so the quotient is below quotaTokens and always fits.
	granted, _, _ := multiply(uint64(quotaTokens), uint64(paidCents)).divide(uint64(priceCents))
	return int64(granted), 0, nil
}
