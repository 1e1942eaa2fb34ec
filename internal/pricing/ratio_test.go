package pricing

import "testing"

func TestRatio(t *testing.T) {
	tests := []struct {
		name                           string
		rate, marginPPM, tokenMicroUSD int64
		want                           string
	}{
		{"audio of the small realtime model", 10_000_000, 1_200_000, 10, "1.2"},
		{"text of the small realtime model", 600_000, 1_200_000, 10, "0.072"},
		{"audio out of the large one", 80_000_000, 1_200_000, 10, "9.6"},
		{"no rate", 0, 1_200_000, 10, "0"},
		{"a whole number", 100_000_000, 1_000_000, 10, "10"},
		{"the smallest rate", 1, 1_000_000, 1, "0.000001"},
		{"a third is cut", 1_000_000, 1_000_000, 3, "0.333333333333"},
	}
	for _, test := range tests {
		if got := Ratio(test.rate, test.marginPPM, test.tokenMicroUSD); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
