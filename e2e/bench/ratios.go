package main

import (
	"fmt"
	"slices"
	"strings"
)

// ratio compares a subject with its reference: requests per second, or with
// median set the median times at one connection, where less is better.
type ratio struct {
	subject, reference row
	median             bool
	// What to reach, 0 for nothing: now, later, and at the best.
	now, later, best float64
}

var ratios = []ratio{
	{subject: rowBalanceBySession, reference: rowBareGet, now: 0.4, later: 0.45, best: 0.7},
	{subject: rowBalanceByKey, reference: rowBareGet, now: 0.4, later: 0.45, best: 0.7},
	{subject: rowBalanceByJWT, reference: rowBareGet, now: 0.4, later: 0.45, best: 0.7},
	{subject: rowUse, reference: rowNaive, now: 5, later: 7, best: 15},
	{subject: rowUse, reference: rowBarePost, later: 0.25, best: 0.5},
	{subject: rowUseByKey, reference: rowBarePost, later: 0.25, best: 0.5},
	{subject: rowUse, reference: rowLoop, median: true, later: 2, best: 1.3},
}

// writeRatios shows the ratios at the most connections that were measured. A
// missed target is a fact to report, not a failure of the program.
func writeRatios(text *strings.Builder, chosen settings, measured results) {
	fmt.Fprintf(text, "%-75s %8s  %7s %7s %7s\n", "ratios of this run", "measured", "now", "later", "best")
	for _, r := range ratios {
		connections, what := slices.Max(chosen.connections), "req/s"
		if r.median {
			connections, what = 1, "p50"
		}
		subject, ok := measured[place{r.subject, connections}]
		reference, known := measured[place{r.reference, connections}]
		if !ok || !known {
			continue
		}
		name := fmt.Sprintf("%s at %d: %s : %s", what, connections, r.subject, r.reference)
		fmt.Fprintf(text, "%-75s %8.2f  %7s %7s %7s\n", name, r.value(subject, reference),
			r.target(r.now), r.target(r.later), r.target(r.best))
	}
}

func (r ratio) value(subject, reference figures) float64 {
	if r.median {
		return float64(subject.p50) / float64(reference.p50)
	}
	return subject.perSecond / reference.perSecond
}

func (r ratio) target(value float64) string {
	switch {
	case value == 0:
		return "-"
	case r.median:
		return fmt.Sprintf("<= %.4g", value)
	}
	return fmt.Sprintf(">= %.4g", value)
}
