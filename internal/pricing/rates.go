package pricing

// MaxRate is the largest rate of one class, in micro-USD per million units:
// one whole USD per unit, far above any price on sale.
const MaxRate int64 = 1_000_000_000_000

// MicroUSDPerUSD converts a list price in USD per million units to a rate.
const MicroUSDPerUSD int64 = 1_000_000

// Rates is what one model costs at its provider, before margin, in micro-USD
// per million units: per million tokens, for Milliseconds per million
// milliseconds, for Requests per million requests.
//
// A rate of 0 means "no price given", not "free": see UnpricedError.
type Rates struct {
	InText         int64 `json:"in_text,omitempty"`
	InAudio        int64 `json:"in_audio,omitempty"`
	InImage        int64 `json:"in_image,omitempty"`
	InCachedText   int64 `json:"in_cached_text,omitempty"`
	InCachedAudio  int64 `json:"in_cached_audio,omitempty"`
	InCachedImage  int64 `json:"in_cached_image,omitempty"`
	InCacheWrite5m int64 `json:"in_cache_write_5m,omitempty"`
	InCacheWrite1h int64 `json:"in_cache_write_1h,omitempty"`
	OutText        int64 `json:"out_text,omitempty"`
	OutAudio       int64 `json:"out_audio,omitempty"`
	Milliseconds   int64 `json:"milliseconds,omitempty"`
	Requests       int64 `json:"requests,omitempty"`
}

// Validate checks that each rate is from 0 to MaxRate and otherwise returns a
// *RangeError that names the class.
func (r Rates) Validate() error {
	return checkValues(r.values(), MaxRate)
}

// values lists the rates in the order of classes.
func (r Rates) values() [classCount]int64 {
	return [classCount]int64{
		r.InText, r.InAudio, r.InImage,
		r.InCachedText, r.InCachedAudio, r.InCachedImage,
		r.InCacheWrite5m, r.InCacheWrite1h,
		r.Milliseconds, r.Requests,
		r.OutText, r.OutAudio,
	}
}
