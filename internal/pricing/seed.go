package pricing

// transcriptionRate is 0.006 USD per minute of audio, in micro-USD per million
// milliseconds. With the default margin and token value it makes the original
// service's 12 tokens per second.
const transcriptionRate int64 = 100_000

// SeedPrices returns the prices the original service was published with, read
// from its source: provider costs in USD per million tokens (in/out), and
// whisper-1 at 0.006 USD per minute, which also prices the transcription
// inside a realtime session.
//
//	gpt-4o-realtime-preview       text 5/20       audio 40/80
//	gpt-4o-mini-realtime-preview  text 0.60/2.40  audio 10/20
//
// The original billed cached tokens like fresh ones, so the cached rates equal
// the fresh ones here; an operator who passes the provider's discount on adds
// a newer row. The prices have no ID, no margin of their own and are in force
// from the beginning of time.
func SeedPrices() []Price {
	realtime := realtimeRates(5*MicroUSDPerUSD, 20*MicroUSDPerUSD, 40*MicroUSDPerUSD, 80*MicroUSDPerUSD)
	realtimeMini := realtimeRates(600_000, 2_400_000, 10*MicroUSDPerUSD, 20*MicroUSDPerUSD)
	return []Price{
		{Provider: "openai", Model: "gpt-4o-realtime-preview", Rates: realtime},
		{Provider: "openai", Model: "gpt-4o-realtime-preview-2024-10-01", Rates: realtime},
		{Provider: "openai", Model: "gpt-4o-mini-realtime-preview", Rates: realtimeMini},
		{Provider: "openai", Model: "gpt-4o-mini-realtime-preview-2024-10-01", Rates: realtimeMini},
		{Provider: "openai", Model: "whisper-1", Rates: Rates{Milliseconds: transcriptionRate}},
	}
}

// realtimeRates fills the classes that a realtime session can report.
func realtimeRates(inText, outText, inAudio, outAudio int64) Rates {
	return Rates{
		InText:        inText,
		InCachedText:  inText,
		InAudio:       inAudio,
		InCachedAudio: inAudio,
		OutText:       outText,
		OutAudio:      outAudio,
		Milliseconds:  transcriptionRate,
	}
}
