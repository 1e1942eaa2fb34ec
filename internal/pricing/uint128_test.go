package pricing

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func (n uint128) big() *big.Int {
	high := new(big.Int).Lsh(new(big.Int).SetUint64(n.high), 64)
	return high.Add(high, new(big.Int).SetUint64(n.low))
}

func fits(n *big.Int, bitLength int) bool { return n.BitLen() <= bitLength }

func TestUint128AgainstBig(t *testing.T) {
	t.Parallel()
	word := rapid.OneOf(rapid.Uint64(), rapid.SampledFrom([]uint64{0, 1, math.MaxUint64}))
	rapid.Check(t, func(t *rapid.T) {
		n := uint128{word.Draw(t, "n.high"), word.Draw(t, "n.low")}
		m := uint128{word.Draw(t, "m.high"), word.Draw(t, "m.low")}
		factor := word.Draw(t, "factor")
		bigFactor := new(big.Int).SetUint64(factor)

		sum, ok := n.add(m)
		wantSum := new(big.Int).Add(n.big(), m.big())
		if ok != fits(wantSum, 128) || ok && sum.big().Cmp(wantSum) != 0 {
			t.Fatalf("add: got %s, %v; want %s", sum.big(), ok, wantSum)
		}

		product, ok := n.times(factor)
		wantProduct := new(big.Int).Mul(n.big(), bigFactor)
		if ok != fits(wantProduct, 128) || ok && product.big().Cmp(wantProduct) != 0 {
			t.Fatalf("times: got %s, %v; want %s", product.big(), ok, wantProduct)
		}

		quotient, remainder, ok := n.divide(factor)
		if factor == 0 {
			if ok {
				t.Fatal("divided by 0")
			}
			return
		}
		wantQuotient, wantRemainder := new(big.Int).QuoRem(n.big(), bigFactor, new(big.Int))
		if ok != fits(wantQuotient, 64) {
			t.Fatalf("divide: ok is %v for the quotient %s", ok, wantQuotient)
		}
		if ok && (quotient != wantQuotient.Uint64() || remainder != wantRemainder.Uint64()) {
			t.Fatalf("divide: got %d rest %d, want %s rest %s", quotient, remainder, wantQuotient, wantRemainder)
		}
	})
}
