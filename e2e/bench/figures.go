package main

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// tally is what one sender saw.
type tally struct {
	taken    []time.Duration // of the requests that count
	answered int             // with success, the warm-up included
	refused  int
	first    error // of the failures
	late     bool  // something was begun after the time of the cell
}

func (t *tally) fail(err error) {
	t.refused++
	if t.first == nil {
		t.first = err
	}
}

// add takes another sender's tally in.
func (t *tally) add(other tally) {
	t.taken = append(t.taken, other.taken...)
	t.answered += other.answered
	t.refused += other.refused
	t.late = t.late || other.late
	if t.first == nil {
		t.first = other.first
	}
}

// figures sums up; each request did so many things.
func (t *tally) figures(seconds time.Duration, each int) (figures, error) {
	if len(t.taken) == 0 {
		return figures{}, errors.New("nothing came back in the time of a cell: give it more -seconds")
	}
	slices.Sort(t.taken)
	return figures{
		perSecond: float64(len(t.taken)*each) / seconds.Seconds(),
		p50:       percentile(t.taken, 50),
		p99:       percentile(t.taken, 99),
		answered:  t.answered * each,
	}, nil
}

// median is the middle one of several rounds, by what was done in a second.
func median(rounds []figures) figures {
	slices.SortFunc(rounds, func(a, b figures) int { return cmp.Compare(a.perSecond, b.perSecond) })
	return rounds[len(rounds)/2]
}

// percentile takes sorted times.
func percentile(sorted []time.Duration, percent int) time.Duration {
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}

// figures are what a cell of the table shows.
type figures struct {
	perSecond float64
	p50, p99  time.Duration
	answered  int           // in all, the warm-up included; for the books
	cpu       time.Duration // the server's own, for each thing done; 0 when not known
}

// place is where in the table figures belong.
type place struct {
	row         row
	connections int
}

type results map[place]figures
