package pricing

// MaxCount is the largest count of one class in one usage, in units of that
// class (tokens, milliseconds or requests).
const MaxCount int64 = 1_000_000_000_000

// Usage is the normal form of what one call consumed: disjoint, non-negative
// counts. A cached token is counted in its cached class only, never a second
// time in the fresh one; reasoning tokens are part of OutText.
//
// Providers nest their counts in different ways (OpenAI includes cached tokens
// in the prompt, Anthropic leaves them out), so the code that reads a
// provider's answer subtracts before it fills this struct.
type Usage struct {
	InText         int64 `json:"in_text,omitempty"`
	InAudio        int64 `json:"in_audio,omitempty"`
	InImage        int64 `json:"in_image,omitempty"`
	InCachedText   int64 `json:"in_cached_text,omitempty"`
	InCachedAudio  int64 `json:"in_cached_audio,omitempty"`
	InCachedImage  int64 `json:"in_cached_image,omitempty"`
	InCacheWrite5m int64 `json:"in_cache_write_5m,omitempty"` // written to a cache that lives 5 minutes
	InCacheWrite1h int64 `json:"in_cache_write_1h,omitempty"` // written to a cache that lives 1 hour
	OutText        int64 `json:"out_text,omitempty"`
	OutAudio       int64 `json:"out_audio,omitempty"`
	Milliseconds   int64 `json:"milliseconds,omitempty"` // of audio, for models priced by time
	Requests       int64 `json:"requests,omitempty"`     // for models priced by the call
}

// Validate checks that each count is from 0 to MaxCount and otherwise returns
// a *RangeError that names the class.
func (u Usage) Validate() error {
	return checkValues(u.values(), MaxCount)
}

// values lists the counts in the order of classes.
func (u Usage) values() [classCount]int64 {
	return [classCount]int64{
		u.InText, u.InAudio, u.InImage,
		u.InCachedText, u.InCachedAudio, u.InCachedImage,
		u.InCacheWrite5m, u.InCacheWrite1h,
		u.Milliseconds, u.Requests,
		u.OutText, u.OutAudio,
	}
}

// usageOf is the reverse of values.
func usageOf(counts [classCount]int64) Usage {
	return Usage{
		InText: counts[0], InAudio: counts[1], InImage: counts[2],
		InCachedText: counts[3], InCachedAudio: counts[4], InCachedImage: counts[5],
		InCacheWrite5m: counts[6], InCacheWrite1h: counts[7],
		Milliseconds: counts[8], Requests: counts[9],
		OutText: counts[10], OutAudio: counts[11],
	}
}

// InputTokens is how many tokens went into the model, of whatever kind.
func (u Usage) InputTokens() int64 {
	return u.InText + u.InAudio + u.InImage + u.InCachedText + u.InCachedAudio + u.InCachedImage +
		u.InCacheWrite5m + u.InCacheWrite1h
}

// OutputTokens is how many tokens came out of it.
func (u Usage) OutputTokens() int64 { return u.OutText + u.OutAudio }

// UsageOf is a usage of one class alone.
func UsageOf(class Class, count int64) Usage {
	var counts [classCount]int64
	if i := classIndex(class); i >= 0 {
		counts[i] = count
	}
	return usageOf(counts)
}

// Union takes of each class the larger count: it is zero only where both are.
func Union(a, b Usage) Usage {
	counts, others := a.values(), b.values()
	for i, other := range others {
		counts[i] = max(counts[i], other)
	}
	return usageOf(counts)
}
