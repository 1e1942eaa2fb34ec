package pricing

import "math/bits"

// uint128 is an unsigned 128-bit integer, high × 2^64 + low. Every operation
// reports whether its exact result fits; none wraps.
type uint128 struct {
	high, low uint64
}

// multiply returns a × b, which always fits.
func multiply(a, b uint64) uint128 {
	high, low := bits.Mul64(a, b)
	return uint128{high, low}
}

// add returns n + m.
func (n uint128) add(m uint128) (uint128, bool) {
	low, carry := bits.Add64(n.low, m.low, 0)
	high, carry := bits.Add64(n.high, m.high, carry)
	return uint128{high, low}, carry == 0
}

// times returns n × factor.
func (n uint128) times(factor uint64) (uint128, bool) {
	lowHigh, low := bits.Mul64(n.low, factor)
	overflow, highLow := bits.Mul64(n.high, factor)
	high, carry := bits.Add64(highLow, lowHigh, 0)
	return uint128{high, low}, overflow == 0 && carry == 0
}

// divide returns the quotient and the remainder of n ÷ divisor. It reports
// false when the divisor is 0 or the quotient needs more than 64 bits.
func (n uint128) divide(divisor uint64) (quotient, remainder uint64, ok bool) {
	// bits.Div64 panics unless high < divisor, which is also exactly the
	// condition for the quotient to fit.
	if n.high >= divisor {
		return 0, 0, false
	}
	quotient, remainder = bits.Div64(n.high, n.low, divisor)
	return quotient, remainder, true
}
