package metering

import "sokuji/internal/pricing"

const (
	// inputBytesPerToken is the least text that a token is reserved for: half of the
	// usual. A character of Chinese, about one token, has three bytes.
	inputBytesPerToken = 2
	// mediumTokens is reserved for each picture or document, in tokens of input, and
	// mediumBytesPerToken for each piece of what is sent with the request: a medium
	// costs by its size on the screen or its pages, not by its bytes.
	mediumTokens        = 3_000
	mediumBytesPerToken = 64
	// soundBytesPerToken is the thinnest sound in base64, which has 4 bytes for 3.
	soundBytesPerToken = leastBytesPerSecond * 4 / 3 / heardTokensPerSecond
)

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

// AskToTranscribe is what a form with a file asks for. The prompt is text that the
// model reads besides.
func AskToTranscribe(model string, stream bool, fileBytes int64, prompt string) Ask {
	ask := Ask{Model: model, Stream: stream, Estimate: EstimateAudio(fileBytes)}
	ask.Counted = ask.Estimate
	ask.Counted.OutText = 0
	if size := sizeOfText(prompt); size.bytes > 0 {
		ask.Estimate.InText = size.bytes/inputBytesPerToken + 1
		ask.Counted.InText = min(size.tokens()+1, ask.Estimate.InText)
	}
	return ask
}
