package metering

import (
	"bytes"
	"strconv"

	"sokuji/internal/pricing"
)

// count is a number of a provider's usage. Only a whole number from 0 to
// pricing.MaxCount is taken as it is; a larger one becomes the bound, and what is
// no count at all becomes 0. Either is odd.
type count struct {
	value  int64
	isSeen bool // it was there, and not null
	isOdd  bool
}

// UnmarshalJSON never fails: a number that cannot be read must not hide those
// beside it.
func (c *count) UnmarshalJSON(text []byte) error {
	if bytes.Equal(text, []byte("null")) {
		return nil
	}
	*c = count{isSeen: true}
	text = withoutZeroFraction(text)
	if !isDigits(text) {
		c.isOdd = true
		return nil
	}
	value, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || value > pricing.MaxCount {
		value, c.isOdd = pricing.MaxCount, true
	}
	c.value = value
	return nil
}

// withoutZeroFraction makes 12.0 a 12: some servers have but one kind of number.
func withoutZeroFraction(text []byte) []byte {
	whole, fraction, hasPoint := bytes.Cut(text, []byte("."))
	if hasPoint && len(fraction) > 0 && len(bytes.Trim(fraction, "0")) == 0 {
		return whole
	}
	return text
}

func isDigits(text []byte) bool {
	for _, char := range text {
		if char < '0' || char > '9' {
			return false
		}
	}
	return len(text) > 0
}

// duration is a number of seconds, in milliseconds. Some servers write it as text.
type duration struct {
	milliseconds int64
	isSeen       bool
	isOdd        bool
}

// UnmarshalJSON never fails, for the reason that count's does not.
func (d *duration) UnmarshalJSON(text []byte) error {
	if bytes.Equal(text, []byte("null")) {
		return nil
	}
	*d = duration{isSeen: true}
	milliseconds, err := pricing.ParseSeconds(string(bytes.Trim(text, `"`)))
	if err != nil {
		d.isOdd = true
		return nil
	}
	d.milliseconds = milliseconds
	return nil
}
