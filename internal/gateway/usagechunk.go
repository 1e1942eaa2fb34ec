package gateway

import (
	"bytes"
	"encoding/json"
)

var usageName = []byte(`"usage"`)

// HideUsage takes out of a chunk of chat/completions what the client did not ask
// for: the chunk that only carries the usage is dropped (the bool is false), and
// "usage":null of all others goes. Everything else is left as it is.
func HideUsage(chunk []byte) ([]byte, bool) {
	at := bytes.Index(chunk, usageName)
	if at < 0 {
		return chunk, true
	}
	if shorter, ok := withoutNullUsage(chunk, at); ok {
		return shorter, true
	}
	var said struct {
		Choices []json.RawMessage `json:"choices"`
		Usage   json.RawMessage   `json:"usage"`
	}
	if json.Unmarshal(chunk, &said) != nil {
		return chunk, true
	}
	onlyUsage := len(said.Choices) == 0 && len(said.Usage) > 0 && !bytes.Equal(said.Usage, []byte("null"))
	return chunk, !onlyUsage
}

// withoutNullUsage cuts the member out together with the comma at one side of it.
// A text that looks the same cannot stand inside a string of JSON, because there
// its quotes would be escaped.
func withoutNullUsage(chunk []byte, at int) ([]byte, bool) {
	value := skipSpace(chunk, at+len(usageName))
	if value >= len(chunk) || chunk[value] != ':' {
		return nil, false
	}
	value = skipSpace(chunk, value+1)
	if !bytes.HasPrefix(chunk[value:], []byte("null")) {
		return nil, false
	}
	start, end := at, value+len("null")
	before := bytes.TrimRight(chunk[:start], " \t\r\n")
	after := skipSpace(chunk, end)
	switch {
	case bytes.HasSuffix(before, []byte(",")):
		start = len(before) - 1
	case after < len(chunk) && chunk[after] == ',':
		end = skipSpace(chunk, after+1)
	}
	return append(bytes.Clone(chunk[:start]), chunk[end:]...), true
}
