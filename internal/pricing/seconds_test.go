package pricing

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseSeconds(t *testing.T) {
	t.Parallel()
	tests := map[string]int64{
		"0":                              0,
		"0.0":                            0,
		"0.000000":                       0,
		"12":                             12_000,
		"12.5":                           12_500,
		"0.125":                          125,
		"0.1":                            100,
		"0.01":                           10,
		"0.001":                          1,
		"0.0001":                         1,
		"0.1250":                         125,
		"0.1251":                         126,
		"0.125" + "00000000000000000001": 126,
		"0.9999":                         1000,
		"1.9991":                         2000,
		"10":                             10_000,
		"999999.999":                     999_999_999,
		"999999.9991":                    1_000_000_000,
		"1000000":                        1_000_000_000,
		"1000000.000":                    1_000_000_000,
	}
	for text, want := range tests {
		if got, err := ParseSeconds(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestParseSecondsRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "-1", "-0", "+1", "1e3", "1E3", "1e-3", "NaN", "Infinity", "-Infinity", "null", `"12"`,
		"12.", ".5", ".", "1.2.3", "1,5", "1_000", "0x10", "01", "00", "00.5", " 12", "12 ", "12\n", "１２",
		"1000000.001", "1000000.0001", "1000001", "9223372036854775807", "9223372036854775808",
		"99999999999999999999999999999999", strings.Repeat("1", 65), "0." + strings.Repeat("0", 63),
	} {
		got, err := ParseSeconds(text)
		if !errors.Is(err, ErrSeconds) || got != 0 {
			t.Errorf("%q: got %d, %v; want ErrSeconds", text, got, err)
			continue
		}
		if !strings.Contains(err.Error(), "12.5") {
			t.Errorf("%q: the error does not say what to send: %v", text, err)
		}
		if len(err.Error()) > 300 {
			t.Errorf("the error repeats a long input: %d bytes", len(err.Error()))
		}
	}
}

func TestParseSecondsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Int64Range(0, MaxMilliseconds).Draw(t, "milliseconds")
		text := fmt.Sprintf("%d.%03d", want/1000, want%1000)
		if got, err := ParseSeconds(text); err != nil || got != want {
			t.Fatalf("%q: got %d, %v; want %d", text, got, err, want)
		}
	})
}

// jsonDecimal is RFC 8259's number without a sign and without an exponent.
var jsonDecimal = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// exactMilliseconds is the rule of ParseSeconds in exact fractions.
func exactMilliseconds(text string) *big.Int {
	exact, _ := new(big.Rat).SetString(text)
	exact.Mul(exact, big.NewRat(1000, 1))
	whole, remainder := new(big.Int).QuoRem(exact.Num(), exact.Denom(), new(big.Int))
	if remainder.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	return whole
}

func FuzzParseSeconds(f *testing.F) {
	for _, text := range []string{"0", "12", "12.5", "0.125", "0.0001", "1000000", "1e3", "-1", "01", "1.", "NaN", "999999.9999"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseSeconds(text)
		if len(text) > maxSecondsLength || !jsonDecimal.MatchString(text) {
			if err == nil {
				t.Fatalf("%q is not a plain decimal, but gave %d", text, got)
			}
			return
		}
		want := exactMilliseconds(text)
		if want.Cmp(big.NewInt(MaxMilliseconds)) > 0 {
			if err == nil {
				t.Fatalf("%q is above the bound, but gave %d", text, got)
			}
			return
		}
		if err != nil || big.NewInt(got).Cmp(want) != 0 {
			t.Fatalf("%q: got %d, %v; want %s", text, got, err, want)
		}
	})
}
