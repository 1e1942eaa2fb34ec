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
// provider that begins to report a new class must not make a call free. What has
// no near class either stays, and Quote refuses it.
func Fold(usage Usage, rates Rates) (Usage, []Class) {
	counts, prices := usage.values(), rates.values()
	var moved []Class
	for i, class := range classes {
		if counts[i] <= 0 || prices[i] != 0 {
			continue
		}
		for _, other := range nearest[class] {
			j := classIndex(other)
			if prices[j] == 0 {
				continue
			}
			counts[j], counts[i] = counts[j]+counts[i], 0
			moved = append(moved, class)
			break
		}
	}
	return usageOf(counts), moved
}

func classIndex(class Class) int {
	for i, known := range classes {
		if known == class {
			return i
		}
	}
	return -1 // no class is unknown: the tests walk through nearest
}
