package metering

import (
	"bytes"

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

// inputTokens is how many tokens a request's body may be read as.
func inputTokens(body []byte) int64 {
	var media, mediaBytes int64
	for at := 0; ; {
		start := bytes.IndexByte(body[at:], '"')
		if start < 0 {
			break
		}
		start += at + 1
		length := int(stringLength(body[start-1:]))
		at = min(start+length+1, len(body))
		text := body[start:min(start+length, len(body))]
		if isMedium(text) {
			mediaBytes += int64(len(text))
		} else if isMediumType(text) && !isName(body[at:]) {
			media++
		}
	}
	textBytes := int64(len(body)) - mediaBytes
	return textBytes/inputBytesPerToken + 1 + media*mediumTokens + mediaBytes/mediumBytesPerToken
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
