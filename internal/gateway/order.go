package gateway

import (
	"cmp"
	"slices"
)

// Order lists upstreams as they are to be tried: those that rest behind all
// others, then by priority, and by chance among equals, each in the measure of its
// weight. random returns a number from 0 up to n, n not included.
func Order(upstreams []Upstream, health *Health, random func(n int) int) []Upstream {
	if len(upstreams) < 2 {
		return upstreams
	}
	ordered := slices.Clone(upstreams)
	rests := make(map[string]bool, len(ordered))
	for _, upstream := range ordered {
		rests[upstream.Name] = health.Rests(upstream.Name)
	}
	class := func(a, b Upstream) int {
		if rests[a.Name] != rests[b.Name] {
			if rests[b.Name] {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Priority, b.Priority)
	}
	slices.SortStableFunc(ordered, class)
	for start := 0; start < len(ordered); {
		end := start + 1
		for end < len(ordered) && class(ordered[start], ordered[end]) == 0 {
			end++
		}
		shuffle(ordered[start:end], random)
		start = end
	}
	return ordered
}

// shuffle draws one after the other, as from an urn with a ball for each unit of
// weight.
func shuffle(equals []Upstream, random func(n int) int) {
	for ; len(equals) > 1; equals = equals[1:] {
		drawn := draw(equals, random)
		equals[0], equals[drawn] = equals[drawn], equals[0]
	}
}

func draw(equals []Upstream, random func(n int) int) int {
	total := 0
	for _, upstream := range equals {
		total += max(upstream.Weight, 1)
	}
	ball := random(total)
	for i, upstream := range equals {
		ball -= max(upstream.Weight, 1)
		if ball < 0 {
			return i
		}
	}
	return 0
}
