package gateway

import (
	"bufio"
	"bytes"
	"mime"
	"net/http"
	"strings"
)

// kindOf is the type of a body without its parameters, in lower case.
func kindOf(header http.Header) string {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		kind, _, _ = strings.Cut(header.Get("Content-Type"), ";")
	}
	return strings.ToLower(strings.TrimSpace(kind))
}

// IsStream tells whether an answer comes in events.
func IsStream(header http.Header) bool { return kindOf(header) == "text/event-stream" }

// MayBeJSON tells whether a whole answer may be JSON: servers that do not say so
// call it plain text, or nothing.
func MayBeJSON(header http.Header) bool {
	switch kind := kindOf(header); kind {
	case "", "text/plain", "application/octet-stream":
		return true
	default:
		return strings.HasSuffix(kind, "/json") || strings.HasSuffix(kind, "+json")
	}
}

// MayBeSound tells whether an answer may be sound, which no text is.
func MayBeSound(header http.Header) bool {
	kind := kindOf(header)
	return !strings.HasPrefix(kind, "text/") && !strings.HasSuffix(kind, "json") && !strings.HasSuffix(kind, "xml")
}

// beginning is what an answer can be judged by before any of it is passed on: a
// stream by its first event, and a whole answer, which is read to its end anyway, by
// as much as the buffer takes. Sound does not wait. Why it ends earlier the reading
// will tell.
func beginning(header http.Header, body *bufio.Reader) []byte {
	switch {
	case IsStream(header):
		for body.Buffered() < body.Size() && !hasEvent(peek(body, body.Buffered())) {
			if _, err := body.Peek(body.Buffered() + 1); err != nil {
				break
			}
		}
		return peek(body, body.Buffered())
	case MayBeJSON(header):
		return peek(body, body.Size())
	}
	return peek(body, body.Buffered())
}

func peek(body *bufio.Reader, n int) []byte {
	text, _ := body.Peek(n) // with an error there is less
	return text
}

// hasEvent tells whether an empty line ends an event in a text.
func hasEvent(text []byte) bool {
	return bytes.Contains(text, []byte("\n\n")) || bytes.Contains(text, []byte("\n\r\n"))
}
