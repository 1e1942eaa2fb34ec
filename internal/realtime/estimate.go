package realtime

import "sokuji/internal/pricing"

// heardNext is what the turn after another hears: again all that the other heard and
// said, and what was added since.
func heardNext(last, added pricing.Usage) pricing.Usage {
	next := withInput(last, added)
	next.InText += last.OutText
	next.InAudio += last.OutAudio
	next.OutText, next.OutAudio = 0, 0
	return next
}

// nextTurn is what the turn after another is taken for. What it says itself is
// followed.
func nextTurn(last, added pricing.Usage) pricing.Usage {
	next := heardNext(last, added)
	next.InText, next.InAudio = max(next.InText, turnInText), max(next.InAudio, turnInAudio)
	next.OutText, next.OutAudio = turnOutText, turnOutAudio
	return next
}

// moreOutput is what a response that goes on for longer is taken for.
func moreOutput() pricing.Usage {
	return pricing.Usage{OutText: turnOutText, OutAudio: turnOutAudio}
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

// inputOf is how many tokens a usage has heard.
func inputOf(u pricing.Usage) int64 {
	return u.InText + u.InAudio + u.InImage + u.InCachedText + u.InCachedAudio + u.InCachedImage
}

// aside is what a cost beside the turns is taken for.
func aside(rates pricing.Rates) pricing.Usage { return transcriptOf(0, rates) }

// transcriptOf is what writing down some sound is taken for, in bytes of PCM, and a
// minute at least: by time where the price is.
func transcriptOf(sound int64, rates pricing.Rates) pricing.Usage {
	milliseconds := max(roundedUp(sound, audioBytesPerMillisecond), transcriptionMilliseconds)
	if rates.Milliseconds > 0 {
		return pricing.Usage{Milliseconds: milliseconds}
	}
	return priced(pricing.Usage{
		InAudio: roundedUp(milliseconds*transcriptionInAudio, transcriptionMilliseconds),
		OutText: roundedUp(milliseconds*transcriptionOutText, transcriptionMilliseconds),
	}, rates)
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
