package pricing

// nearest says where a class is charged when the price has no rate for it, in
// order. A cached token was an input token before there was a discount, so the
// fresh rate is what it can cost at most; what a price has no rate of a kind for
// is charged as text, which every model of tokens has.
var nearest = map[Class][]Class{
	ClassInAudio:        {ClassInText},
	ClassInImage:        {ClassInText},
	ClassInCachedText:   {ClassInText},
	ClassInCachedAudio:  {ClassInAudio, ClassInText},
	ClassInCachedImage:  {ClassInImage, ClassInText},
	ClassInCacheWrite5m: {ClassInText},
	ClassInCacheWrite1h: {ClassInCacheWrite5m, ClassInText},
	ClassOutAudio:       {ClassOutText},
}

// Fold moves what was counted in a class without a rate to the nearest class that
// has one, and names the classes it moved. It is for what was consumed already: a
// provider that begins to report a new class must not make a call free. In a price
// by the call the tokens that have no rate are contained. What has no near class
// either stays, and Quote refuses it.
func Fold(usage Usage, rates Rates) (Usage, []Class) {
	counts, prices := usage.values(), rates.values()
	isByCall := usage.Requests > 0 && rates.Requests > 0
	var moved []Class
	for i, class := range classes {
		if counts[i] <= 0 || prices[i] != 0 {
			continue
		}
		if j := nearestPriced(class, prices); j >= 0 {
			counts[j], counts[i] = counts[j]+counts[i], 0
			moved = append(moved, class)
		} else if isByCall && class != ClassMilliseconds {
			counts[i] = 0
			moved = append(moved, class)
		}
	}
	return usageOf(counts), moved
}

// nearestPriced is the index of the first class near another that has a rate, or -1.
func nearestPriced(class Class, prices [classCount]int64) int {
	for _, other := range nearest[class] {
		if j := classIndex(other); prices[j] != 0 {
			return j
		}
	}
	return -1
}

// freshOf is what a cached token was before there was a discount.
var freshOf = map[Class]Class{
	ClassInCachedText:  ClassInText,
	ClassInCachedAudio: ClassInAudio,
	ClassInCachedImage: ClassInImage,
}

// FoldsCheaper tells whether Fold charges a class at the rate of another that may
// cost its provider less: sound as text, a cache write as a read. Only a cached
// token that is charged as a fresh one is safe.
func FoldsCheaper(class Class, rates Rates) bool {
	prices := rates.values()
	if i := classIndex(class); i < 0 || prices[i] != 0 {
		return false
	}
	j := nearestPriced(class, prices)
	return j >= 0 && classes[j] != freshOf[class]
}

// SoundAsText lists the classes of sound in a usage that a price would charge as
// text, which costs a provider a fraction. Sound that is priced by time is not among
// them.
func SoundAsText(usage Usage, rates Rates) []Class {
	if usage.Milliseconds > 0 && rates.Milliseconds > 0 {
		return nil
	}
	counts := usage.values()
	var cheap []Class
	for _, class := range []Class{ClassInAudio, ClassOutAudio} {
		if counts[classIndex(class)] > 0 && FoldsCheaper(class, rates) {
			cheap = append(cheap, class)
		}
	}
	return cheap
}

func classIndex(class Class) int {
	for i, known := range classes {
		if known == class {
			return i
		}
	}
	return -1 // no class is unknown: the tests walk through nearest
}

// Fit leaves out of an estimate what a price has no rate for, after Fold: a model
// that never speaks is not asked what its voice costs. Where nothing would be left
// the estimate stays as it is, and Quote refuses it.
func Fit(estimate Usage, rates Rates) Usage {
	folded, _ := Fold(estimate, rates)
	counts, prices := folded.values(), rates.values()
	fits := false
	for i := range counts {
		if prices[i] == 0 {
			counts[i] = 0
		}
		fits = fits || counts[i] > 0
	}
	if !fits {
		return estimate
	}
	return usageOf(counts)
}

// PerCall leaves out the requests of a usage where the price is not by the call:
// each call is a request, whatever it is priced by.
func PerCall(usage Usage, rates Rates) Usage {
	if rates.Requests == 0 {
		usage.Requests = 0
	}
	return usage
}
