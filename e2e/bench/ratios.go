package main

import (
	"fmt"
	"slices"
	"strings"
)

// finding is a figure beside its reference of the same run, and what it should
// reach.
type finding struct {
	what               string
	measured, compared string // the two figures, with their units
	ratio              float64
	// least or most is the target and better the stretch, 0 for none.
	least, most, better float64
}

func (f finding) targets() (target, stretch string) {
	sign, bound := ">=", f.least
	if f.most != 0 {
		sign, bound = "<=", f.most
	}
	return bounded(sign, bound), bounded(sign, f.better)
}

func bounded(sign string, bound float64) string {
	if bound == 0 {
		return "-"
	}
	return fmt.Sprintf("%s %.4g", sign, bound)
}

// verdict says in a word whether the target was reached. A missed target is a
// fact to report, not a failure of the program.
func (f finding) verdict() string {
	switch {
	case f.least == 0 && f.most == 0:
		return ""
	case f.most != 0 && f.ratio > f.most, f.least != 0 && f.ratio < f.least:
		return "missed"
	}
	return "reached"
}

// ratio compares a line of the table with references of the table: things per
// second, against the best of them, or with isTime the median times at one
// connection.
type ratio struct {
	subject             row
	references          []row
	isTime              bool
	least, most, better float64
}

var ratios = []ratio{
	{subject: rowBalanceBySession, references: []row{rowBareGet}, least: 0.45, better: 0.7},
	{subject: rowBalanceByKey, references: []row{rowBareGet}, least: 0.45, better: 0.7},
	{subject: rowBalanceByJWT, references: []row{rowBareGet}, least: 0.45, better: 0.7},
	{subject: rowUse, references: []row{rowBarePost}, least: 0.25, better: 0.5},
	{subject: rowUseByKey, references: []row{rowBarePost}, least: 0.25, better: 0.5},
	{subject: rowUse, references: []row{rowNaive}, least: 7, better: 15},
	{subject: rowUse, references: []row{rowLoopMany}},
	{subject: rowHoldSettle, references: []row{rowBarePost}},
	{subject: rowHoldSettle, references: []row{rowUse}},
	{subject: rowBatchLarge, references: []row{rowLoop64, rowLoop256, rowLoop1024}, least: 0.8, better: 0.95},
	{subject: rowBatchSmall, references: []row{rowLoop64, rowLoop256, rowLoop1024}},
	{subject: rowUse, references: []row{rowTransaction}, isTime: true, most: 2, better: 1.3},
	{subject: rowUse, references: []row{rowLoop}, isTime: true},
}

// comparedConnections is what the targets are about.
const comparedConnections = 64

func findingsOf(measured results) []finding {
	var all []finding
	for _, r := range ratios {
		if found, ok := r.of(measured); ok {
			all = append(all, found)
		}
	}
	return all
}

// of compares at the same number of connections, the most up to 64 that both
// were measured at. Lines of fewer connections are taken at their best.
func (r ratio) of(measured results) (finding, bool) {
	subject, connections, ok := r.best(measured, r.subject)
	if !ok {
		return finding{}, false
	}
	f := finding{least: r.least, most: r.most, better: r.better}
	var reference figures
	var name row
	for _, candidate := range r.references {
		seen, _, ok := r.best(measured, candidate)
		if ok && (name == "" || seen.perSecond > reference.perSecond) {
			reference, name = seen, candidate
		}
	}
	if name == "" {
		return finding{}, false
	}
	if r.isTime {
		f.what = fmt.Sprintf("p50 at 1: %s : %s", r.subject, name)
		f.measured, f.compared = milliseconds(subject.p50), milliseconds(reference.p50)
		f.ratio = float64(subject.p50) / float64(reference.p50)
		return f, true
	}
	f.what = fmt.Sprintf("at %d: %s : %s", connections, r.subject, name)
	f.measured, f.compared = rate(subject), rate(reference)
	f.ratio = subject.perSecond / reference.perSecond
	return f, true
}

// best is what a line of the table stands for in a comparison.
func (r ratio) best(measured results, name row) (best figures, connections int, found bool) {
	var counts []int
	for at := range measured {
		if at.row == name && at.connections <= comparedConnections && (!r.isTime || at.connections == 1) {
			counts = append(counts, at.connections)
		}
	}
	if len(counts) == 0 {
		return best, 0, false
	}
	slices.Sort(counts)
	connections = counts[len(counts)-1]
	if maxConnectionsOf(name) >= comparedConnections {
		return measured[place{name, connections}], connections, true
	}
	for _, count := range counts {
		if seen := measured[place{name, count}]; seen.perSecond > best.perSecond {
			best, connections = seen, count
		}
	}
	return best, connections, true
}

func rate(seen figures) string { return fmt.Sprintf("%.0f/s", seen.perSecond) }

func writeFindings(text *strings.Builder, all []finding) {
	const line = "%-74s %13s %13s %8s  %9s %9s  %s\n"
	fmt.Fprintf(text, line, "ratios of this run", "measured", "reference", "ratio", "target", "stretch", "")
	for _, f := range all {
		target, stretch := f.targets()
		fmt.Fprintf(text, line, f.what, f.measured, f.compared, fmt.Sprintf("%.2f", f.ratio), target, stretch, f.verdict())
	}
}
