package realtime

import (
	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// nextTurn is what the turn after another is taken for: it hears again all that the
// other heard and said, and what was added since. What it says itself is followed.
func nextTurn(last, added pricing.Usage) pricing.Usage {
	next := last
	next.InText = max(last.InText+last.OutText+added.InText, turnInText)
	next.InAudio = max(last.InAudio+last.OutAudio+added.InAudio, turnInAudio)
	next.OutText, next.OutAudio = turnOutText, turnOutAudio
	return next
}

// moreOutput is what a response that goes on for longer is taken for.
func moreOutput() pricing.Usage {
	return pricing.Usage{OutText: turnOutText, OutAudio: turnOutAudio}
}

// addedInput is what a client adds to the input with so much text and audio.
func addedInput(textBytes, audioBytes, audioTokenBytes int64) pricing.Usage {
	return pricing.Usage{
		InText:  min(roundedUp(textBytes, metering.BytesPerToken), maxAddedText),
		InAudio: min(roundedUp(audioBytes, audioTokenBytes), maxAddedAudio),
	}
}

// withInput adds the input of two usages, and takes the output of the first.
func withInput(usage, more pricing.Usage) pricing.Usage {
	usage.InText += more.InText
	usage.InAudio += more.InAudio
	usage.InImage += more.InImage
	usage.InCachedText += more.InCachedText
	usage.InCachedAudio += more.InCachedAudio
	usage.InCachedImage += more.InCachedImage
	return usage
}

// aside is what a cost beside the turns is taken for: by time where the price is.
func aside(rates pricing.Rates) pricing.Usage {
	if rates.Milliseconds > 0 {
		return pricing.Usage{Milliseconds: transcriptionMilliseconds}
	}
	return priced(pricing.Usage{InAudio: transcriptionInAudio, OutText: transcriptionOutText}, rates)
}

// priced leaves out of an estimate of ours what a model has no price for: a model
// without voice never speaks.
func priced(usage pricing.Usage, rates pricing.Rates) pricing.Usage {
	for _, class := range []struct {
		count *int64
		rate  int64
	}{
		{&usage.InText, rates.InText}, {&usage.InAudio, rates.InAudio}, {&usage.InImage, rates.InImage},
		{&usage.InCachedText, rates.InCachedText}, {&usage.InCachedAudio, rates.InCachedAudio},
		{&usage.InCachedImage, rates.InCachedImage}, {&usage.InCacheWrite5m, rates.InCacheWrite5m},
		{&usage.InCacheWrite1h, rates.InCacheWrite1h}, {&usage.OutText, rates.OutText},
		{&usage.OutAudio, rates.OutAudio}, {&usage.Milliseconds, rates.Milliseconds}, {&usage.Requests, rates.Requests},
	} {
		if class.rate == 0 {
			*class.count = 0
		}
	}
	return usage
}
