package pricing

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	// MaxMilliseconds is the longest duration of one usage, in milliseconds:
	// 10^9, about 11.5 days.
	MaxMilliseconds int64 = 1_000_000_000

	// maxSecondsLength is the longest decimal that is read, in bytes. It leaves
	// room for more digits than any provider sends.
	maxSecondsLength = 64

	// millisecondDigits is how many decimals of a second are kept exactly.
	millisecondDigits = 3
)

// ErrSeconds says that a text is not a duration ParseSeconds accepts.
var ErrSeconds = errors.New(
	"send the seconds as a plain decimal number such as 12 or 12.5, without sign or exponent, at most 1000000")

// ParseSeconds reads a duration in seconds from a JSON number literal such as
// 12, 12.5 or 0.125 and returns it in milliseconds. Three decimals are exact;
// anything beyond them rounds up to the next millisecond. It reads the text
// itself because a float64 cannot hold 0.1.
//
// A sign, an exponent, a leading zero, a bare point and every other text are
// refused with an error that wraps ErrSeconds, and so is a duration above
// MaxMilliseconds or a text above 64 bytes.
func ParseSeconds(decimal string) (milliseconds int64, err error) {
	if len(decimal) > maxSecondsLength {
		return 0, fmt.Errorf("a duration of %d characters is too long: %w", len(decimal), ErrSeconds)
	}
	whole, fraction, hasPoint := strings.Cut(decimal, ".")
	if !isWhole(whole) || hasPoint && !isDigits(fraction) {
		return 0, fmt.Errorf("%q is not a duration: %w", decimal, ErrSeconds)
	}
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds > MaxMilliseconds/1000 {
		return 0, fmt.Errorf("%s seconds is too long: %w", decimal, ErrSeconds)
	}
	milliseconds = seconds*1000 + fractionMilliseconds(fraction)
	if milliseconds > MaxMilliseconds {
		return 0, fmt.Errorf("%s seconds is too long: %w", decimal, ErrSeconds)
	}
	return milliseconds, nil
}

// fractionMilliseconds reads the digits after the point, rounded up: 0 to 1000.
func fractionMilliseconds(digits string) int64 {
	var milliseconds int64
	for i := range millisecondDigits {
		milliseconds *= 10
		if i < len(digits) {
			milliseconds += int64(digits[i] - '0')
		}
	}
	if len(digits) > millisecondDigits && strings.Trim(digits[millisecondDigits:], "0") != "" {
		milliseconds++
	}
	return milliseconds
}

// isWhole reports whether text is a whole number without a leading zero, as
// JSON writes it (RFC 8259, section 6).
func isWhole(text string) bool {
	return isDigits(text) && (text == "0" || text[0] != '0')
}

// isDigits reports whether text is one or more ASCII digits.
func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}
