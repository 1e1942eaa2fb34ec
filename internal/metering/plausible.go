package metering

import "sokuji/internal/pricing"

// maxPlausibleCount is the most that one call can consume of a class, tokens or
// milliseconds: beyond every model's window.
const maxPlausibleCount = 50_000_000

// IsPlausible tells whether one call can have consumed so much. A provider that
// says more is not believed.
func IsPlausible(u pricing.Usage) bool {
	most := max(u.InText, u.InAudio, u.InImage, u.InCachedText, u.InCachedAudio, u.InCachedImage,
		u.InCacheWrite5m, u.InCacheWrite1h, u.OutText, u.OutAudio, u.Milliseconds, u.Requests)
	return most <= maxPlausibleCount
}
