package pricing

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestPlanGrantTable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                string
		quota, paid, price  int64
		wantTokens, wantNot int64
	}{
		{"paid in full", 10_000_000, 1000, 1000, 10_000_000, 0},
		{"half paid", 10_000_000, 500, 1000, 5_000_000, 0},
		{"one cent", 20_000_000, 1, 2000, 10_000, 0},
		{"rounded down", 10, 2, 3, 6, 0},
		{"rounded down to nothing", 1, 999, 1000, 0, 0},
		{"overpaid", 10_000_000, 1250, 1000, 10_000_000, 250},
		{"nothing paid", 10_000_000, 0, 1000, 0, 0},
		{"the free plan", 0, 0, 0, 0, 0},
		{"paid for a plan without a price", 1000, 700, 0, 0, 700},
		{"the unlimited plan", 999_999_999, 99_999, 99_999, 999_999_999, 0},
		{"the unlimited plan, one cent short", 999_999_999, 99_998, 99_999, 999_989_998, 0},
		{"a product beyond 64 bits", MaxTokens, math.MaxInt64 - 1, math.MaxInt64, MaxTokens - 1, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tokens, unused, err := PlanGrant(test.quota, test.paid, test.price)
			if err != nil {
				t.Fatal(err)
			}
			if tokens != test.wantTokens || unused != test.wantNot {
				t.Fatalf("got %d tokens and %d cents unused, want %d and %d", tokens, unused, test.wantTokens, test.wantNot)
			}
		})
	}
}

func TestPlanGrantRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name               string
		quota, paid, price int64
		field              string
	}{
		{"negative quota", -1, 1, 1, "quota in tokens"},
		{"quota above the bound", MaxTokens + 1, 1, 1, "quota in tokens"},
		{"negative payment", 1, -1, 1, "paid amount in cents"},
		{"negative payment for a free plan", 1, -1, 0, "paid amount in cents"},
		{"negative price", 1, 1, -1, "price in cents"},
		{"the smallest integer", 1, 1, math.MinInt64, "price in cents"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tokens, unused, err := PlanGrant(test.quota, test.paid, test.price)
			var rangeError *RangeError
			if !errors.As(err, &rangeError) || rangeError.Field != test.field {
				t.Fatalf("got %v, want a RangeError of %q", err, test.field)
			}
			if tokens != 0 || unused != 0 {
				t.Fatalf("a refused payment grants %d tokens, %d cents unused", tokens, unused)
			}
		})
	}
}

func TestPlanGrantAgainstBig(t *testing.T) {
	t.Parallel()
	cents := rapid.OneOf(rapid.Int64Range(0, 100_000), rapid.Int64Range(0, math.MaxInt64))
	rapid.Check(t, func(t *rapid.T) {
		quota := rapid.Int64Range(0, MaxTokens).Draw(t, "quota")
		paid, price := cents.Draw(t, "paid"), cents.Draw(t, "price")

		wantTokens, wantUnused := new(big.Int), big.NewInt(paid)
		if price > 0 {
			used := min(paid, price)
			wantTokens.Mul(big.NewInt(quota), big.NewInt(used))
			wantTokens.Quo(wantTokens, big.NewInt(price))
			wantUnused.Sub(wantUnused, big.NewInt(used))
		}

		tokens, unused, err := PlanGrant(quota, paid, price)
		if err != nil {
			t.Fatal(err)
		}
		if big.NewInt(tokens).Cmp(wantTokens) != 0 || big.NewInt(unused).Cmp(wantUnused) != 0 {
			t.Fatalf("got %d and %d, want %s and %s", tokens, unused, wantTokens, wantUnused)
		}
	})
}
