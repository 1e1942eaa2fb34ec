package apikeys

import "math/big"

// base62Digits are the digits of base 62 in ascending order. Letters and digits
// only, so that a double click selects all of a key's secret.
const base62Digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// encodeBase62 writes a big-endian number in base 62, padded with leading
// zeros to the full width of destination, which must be wide enough for every
// number of that size.
func encodeBase62(destination, number []byte) {
	rest, base, digit := new(big.Int).SetBytes(number), big.NewInt(62), new(big.Int)
	for i := len(destination) - 1; i >= 0; i-- {
		rest.QuoRem(rest, base, digit)
		destination[i] = base62Digits[digit.Int64()]
	}
}

// isBase62 reports whether s has only base62 digits.
func isBase62(s string) bool {
	for i := range len(s) {
		if !isBase62Digit(s[i]) {
			return false
		}
	}
	return true
}

func isBase62Digit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
