package metering

import (
	"bytes"

	"sokuji/internal/pricing"
)

// BytesPerToken is how much text a token has by our own count. It is the usual
// average of English; a piece of a stream is a token at least.
const BytesPerToken = 4

// outputMembers are the members of a stream's events whose text is new output.
var outputMembers = map[Endpoint][][]byte{
	ChatCompletions: {
		[]byte(`"content":`), []byte(`"arguments":`), []byte(`"reasoning_content":`), []byte(`"reasoning":`),
		[]byte(`"refusal":`), []byte(`"transcript":`),
	},
	Responses:      {[]byte(`"delta":`)},
	Transcriptions: {[]byte(`"delta":`)},
	Messages:       {[]byte(`"text":`), []byte(`"thinking":`), []byte(`"partial_json":`)},
}

// outputCounter counts the output of a stream by its text.
type outputCounter struct {
	members       [][]byte
	pieces, bytes int64
}

// typeBytes is how far from its beginning the type of an event stands at most.
const typeBytes = 160

var (
	deltaSuffix = []byte(`.delta"`)
	blockDelta  = []byte(`content_block_delta`)
)

// countsOutput tells whether an event brings new output. Others repeat it: a stream
// of responses ends with the whole text.
func (m *Meter) countsOutput(data []byte) bool {
	beginning := data[:min(len(data), typeBytes)]
	switch m.endpoint {
	case ChatCompletions:
		return true
	case Responses, Transcriptions:
		return bytes.Contains(beginning, deltaSuffix)
	case Messages:
		return bytes.Contains(beginning, blockDelta)
	}
	return false
}

func (c *outputCounter) add(data []byte) {
	for _, member := range c.members {
		rest := data
		for {
			at := bytes.Index(rest, member)
			if at < 0 {
				break
			}
			rest = bytes.TrimLeft(rest[at+len(member):], " ")
			length := stringLength(rest)
			if length > 0 {
				c.pieces++
				c.bytes += length
			}
			rest = rest[min(int(length), len(rest)):]
		}
	}
}

// stringLength is how long the string is that a text begins with, between its
// quotes and with its escapes; 0 where there is none.
func stringLength(text []byte) int64 {
	if len(text) == 0 || text[0] != '"' {
		return 0
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return int64(i - 1)
		}
	}
	return int64(len(text) - 1)
}

// tokens is at least one for each piece.
func (c *outputCounter) tokens() int64 {
	return min(max(c.pieces, (c.bytes+BytesPerToken-1)/BytesPerToken), pricing.MaxCount)
}
