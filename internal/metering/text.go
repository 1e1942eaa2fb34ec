package metering

import (
	"strconv"
	"unicode/utf8"
)

// textSize is how much text there is, as it is written in JSON.
type textSize struct {
	bytes     int64 // all of them
	wideBytes int64 // of those, the bytes of characters beyond ASCII
	wide      int64 // the characters beyond ASCII
}

func (s *textSize) add(more textSize) {
	s.bytes += more.bytes
	s.wideBytes += more.wideBytes
	s.wide += more.wide
}

// tokens is our best count: a token for each four bytes of ASCII, the usual average
// of English, and for each other character.
func (s textSize) tokens() int64 {
	return (s.bytes-s.wideBytes)/BytesPerToken + s.wide
}

// sizeOfText measures a text that is written as it is.
func sizeOfText(text string) textSize {
	size := textSize{bytes: int64(len(text))}
	for _, character := range text {
		if character >= utf8.RuneSelf {
			size.wide++
			size.wideBytes += int64(utf8.RuneLen(character))
		}
	}
	size.wideBytes = min(size.wideBytes, size.bytes) // an invalid byte is read as a longer character
	return size
}

// sizeOfString measures a string behind its first quote, up to the last, and says
// where that stands.
func sizeOfString(text []byte) (size textSize, end int) {
	for end < len(text) && text[end] != '"' {
		length, isWide, isNew := 1, text[end] >= utf8.RuneSelf, utf8.RuneStart(text[end])
		if text[end] == '\\' {
			length, isWide, isNew = sizeOfEscape(text[end:])
		}
		if isWide {
			size.wideBytes += int64(length)
			size.wide += one(isNew)
		}
		end += length
	}
	size.bytes = int64(end)
	return size, end
}

// escapeBytes is the length of \u0061.
const escapeBytes = 6

// sizeOfEscape is how long an escape is, whether it is of a character beyond ASCII,
// and whether one begins with it: the largest are written as two.
func sizeOfEscape(text []byte) (length int, isWide, isNew bool) {
	if len(text) < escapeBytes || text[1] != 'u' {
		return min(2, len(text)), false, false
	}
	code, err := strconv.ParseUint(string(text[2:escapeBytes]), 16, 16)
	if err != nil {
		return 2, false, false
	}
	const firstLowSurrogate, lastLowSurrogate = 0xDC00, 0xDFFF
	return escapeBytes, code >= utf8.RuneSelf, code < firstLowSurrogate || code > lastLowSurrogate
}
