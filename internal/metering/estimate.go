package metering

import (
	"bytes"
	"encoding/json"
	"slices"

	"sokuji/internal/pricing"
)

const (
	// inputBytesPerToken is the least text that a token is reserved for: half of the
	// usual, since dense scripts and numbers have more tokens.
	inputBytesPerToken = 2
	// mediumTokens is reserved for each picture or document, in tokens of input, and
	// mediumBytesPerToken for each piece of what is sent with the request: a medium
	// costs by its size on the screen or its pages, not by its bytes.
	mediumTokens        = 3_000
	mediumBytesPerToken = 64
	// minMediumBytes is from which length on a string without a space or an escape is
	// taken for a medium in base64.
	minMediumBytes = 1_024
)

// mediumTypes are the types of parts that are pictures or documents.
var mediumTypes = []string{"image_url", "input_image", "image", "document", "file", "input_file"}

const (
	// soundType is the type of a part that is heard.
	soundType = "input_audio"
	// soundBytesPerToken is the thinnest sound in base64, which has 4 bytes for 3.
	soundBytesPerToken = leastBytesPerSecond * 4 / 3 / heardTokensPerSecond
)

// inputOf is what a request's body may be read as, at most. Parts that are heard are
// counted as sound besides, by the size of all media.
func inputOf(body []byte) (usage pricing.Usage) {
	var media, mediaBytes, sounds int64
	var member []byte // whose value a string is
	for at := 0; ; {
		start := bytes.IndexByte(body[at:], '"')
		if start < 0 {
			break
		}
		start += at + 1
		length := int(stringLength(body[start-1:]))
		at = min(start+length+1, len(body))
		text := body[start:min(start+length, len(body))]
		switch {
		case isMedium(text):
			mediaBytes += int64(len(text))
		case isName(body[at:]):
			member = text
		case isMediumType(text):
			media++
		case is(text, soundType) && is(member, "type"):
			sounds++
		}
	}
	textBytes := int64(len(body)) - mediaBytes
	usage.InText = textBytes/inputBytesPerToken + 1 + media*mediumTokens + mediaBytes/mediumBytesPerToken
	if sounds > 0 {
		usage.InAudio = sounds + mediaBytes/soundBytesPerToken
	}
	return usage
}

// maxEscapedBytes is how long one letter can be written: \u0061.
const maxEscapedBytes = 6

// is compares a string of JSON, whose letters can be written in several ways.
func is(text []byte, word string) bool {
	if bytes.IndexByte(text, '\\') < 0 || len(text) > maxEscapedBytes*len(word) {
		return string(text) == word
	}
	var decoded string
	return json.Unmarshal(slices.Concat([]byte(`"`), text, []byte(`"`)), &decoded) == nil && decoded == word
}

// isMedium tells base64 from text, which has a space somewhere.
func isMedium(text []byte) bool {
	return len(text) >= minMediumBytes && !bytes.ContainsAny(text, " \\")
}

func isMediumType(text []byte) bool {
	for _, name := range mediumTypes {
		if string(text) == name {
			return true
		}
	}
	return false
}

// isName tells the name of a member from a value, by what stands behind it.
func isName(rest []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(":"))
}

const (
	// leastBytesPerSecond is the thinnest sound that is reserved for: 16 kbit/s.
	leastBytesPerSecond = 2_000
	// heardTokensPerSecond and writtenTokensPerSecond are what a second of sound is
	// to a model that transcribes by tokens, at most.
	heardTokensPerSecond   = 10
	writtenTokensPerSecond = 5
)

// EstimateAudio is what transcribing a file may consume at most, for models priced
// by time and for those priced by tokens.
func EstimateAudio(fileBytes int64) pricing.Usage {
	fileBytes = min(max(fileBytes, 0), pricing.MaxMilliseconds/1000*leastBytesPerSecond-leastBytesPerSecond)
	seconds := fileBytes/leastBytesPerSecond + 1
	return pricing.Usage{
		Milliseconds: seconds * 1000,
		InAudio:      seconds * heardTokensPerSecond,
		OutText:      seconds * writtenTokensPerSecond,
		Requests:     1,
	}
}
