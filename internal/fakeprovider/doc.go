// Package fakeprovider is a provider of models that has none: it answers the
// requests of OpenAI's, Azure's and Anthropic's clients in their own formats, so
// that the gateway can be tried and tested without a key of a real one.
//
// It owns the formats of the answers, the switches that make it misbehave on
// demand, and the record of what reached it. It must never call anybody, never
// listen by itself, and never be what an operator's users are sent to: only the
// demo and the tests start it.
//
// The same request always has the same answer, and its usage follows from it:
//
//   - the input has as many tokens as its texts have words, and moreover
//     AudioTokens for a piece of audio and ImageTokens for an image;
//   - the output has as many tokens as the answer has words, each word being one
//     piece of a stream, or AudioTokensPerWord for each where it is spoken;
//   - a call of a tool has ToolTokens;
//   - a file of audio lasts a second for each AudioBytesPerSecond, rounded up, and
//     has AudioTokens a second;
//   - an image that was made has MadeImageTokens.
//
// A request that offers tools is answered with a call of the first one, unless it
// carries a tool's result already.
package fakeprovider

// The counts of what is not text.
const (
	AudioTokens         = 10
	ImageTokens         = 85
	AudioTokensPerWord  = 2
	ToolTokens          = 12
	MadeImageTokens     = 100
	AudioBytesPerSecond = 32_000 // 16 bits, 16,000 times a second
)
