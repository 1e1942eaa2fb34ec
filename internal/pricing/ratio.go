package pricing

import (
	"math/big"
	"strings"
)

// ratioDecimals is how many decimals Ratio writes: a rate of 1 micro-USD per
// million units still shows.
const ratioDecimals = 12

// Ratio writes how many wallet tokens one unit of a class costs, as decimal text
// such as "1.2". It is for people: a charge is never computed from it.
func Ratio(rate, marginPPM, tokenValueMicroUSD int64) string {
	cost := new(big.Int).Mul(big.NewInt(rate), big.NewInt(marginPPM))
	unit := new(big.Int).Mul(big.NewInt(1_000_000_000_000), big.NewInt(tokenValueMicroUSD))
	text := new(big.Rat).SetFrac(cost, unit).FloatString(ratioDecimals)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
