package metering

import (
	"bytes"

	"sokuji/internal/pricing"
)

// BytesPerToken is how much text a token has by our own count. It is the usual
// average of English; a piece of a stream is a token at least.
const BytesPerToken = 4

// outputMembers are the ends of the names of a stream's members whose text is new
// output: content is also reasoning_content. Their first quote is left out, because
// an event is full of quotes to stop at.
var outputMembers = map[Endpoint][][]byte{
	ChatCompletions: {
		[]byte(`content":`), []byte(`arguments":`), []byte(`reasoning":`),
		[]byte(`refusal":`), []byte(`transcript":`),
	},
	Responses:      {[]byte(`delta":`)},
	Transcriptions: {[]byte(`delta":`)},
	Messages:       {[]byte(`text":`), []byte(`thinking":`), []byte(`partial_json":`)},
	// Of these it only matters that there is some: see countsByAsk.
	Speech: {[]byte(`audio":`)},
	Images: {[]byte(`b64_json":`)},
}

// soundMember is the sound in a chat, in base64.
var soundMember = []byte(`data":`)

// countsByAsk tells endpoints whose output is what was asked for as soon as there is
// any: a picture is made as a whole, and speech is said to its end.
func (e Endpoint) countsByAsk() bool { return e == Speech || e == Images }

// OutputGrows tells whether the output of a stream is counted by what passed, so
// that it can be reserved step by step.
func (e Endpoint) OutputGrows() bool { return !e.countsByAsk() }

// outputCounter counts the output of a stream by its text.
type outputCounter struct {
	members       [][]byte
	pieces, bytes int64
}

// typeBytes is how far the type of an event stands from its beginning at most, or from
// its end where a server sorts the members.
const typeBytes = 160

var (
	deltaMember = []byte(`delta":`)
	deltaSuffix = []byte(`.delta"`)
	blockDelta  = []byte(`content_block_delta`)
)

// newOutput is the part of an event that brings new output, nil where there is
// none. Other events repeat it: a stream of responses ends with the whole text.
func (m *Meter) newOutput(data []byte) []byte {
	beginning, end, brings := data[:min(len(data), typeBytes)], data[max(0, len(data)-typeBytes):], false
	switch m.endpoint {
	case ChatCompletions:
		if _, after, found := bytes.Cut(data, deltaMember); found {
			return after
		}
	case Responses, Transcriptions:
		brings = bytes.Contains(beginning, deltaSuffix) || bytes.Contains(end, deltaSuffix)
	case Speech, Images:
		brings = true // it only matters that there is some
	case Messages:
		brings = bytes.Contains(beginning, blockDelta) || bytes.Contains(end, blockDelta)
	}
	if !brings {
		return nil
	}
	return data
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

// soundTokens is what the letters come to as sound of a format.
func (c *outputCounter) soundTokens(format string) int64 {
	if c.pieces == 0 {
		return 0
	}
	perToken := soundLettersPerToken(format)
	return min((c.bytes+perToken-1)/perToken, pricing.MaxCount)
}
