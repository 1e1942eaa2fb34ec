package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// warmUpShare is the part of a cell's time that passes before anything counts:
// a fifth, for caches, connections and the processor's clock to settle.
const warmUpShare = 5

// load is what one cell sends: the same requests, round and round, from each
// connection.
type load struct {
	host        string
	requests    [][]byte
	connections int
	seconds     time.Duration
	each        int // things that one request does; 0 means 1
	// exchange sends a request and whatever follows from its answer; nil means just
	// the request.
	exchange func(*connection, []byte) error
	pid      int // of the process that serves, 0 when its time does not matter
}

func (l load) run(ctx context.Context) (figures, error) {
	opened, err := l.open(ctx)
	if err != nil {
		return figures{}, err
	}
	begin, spent := time.Now(), cpuTime(l.pid)
	tallies := make([]tally, l.connections)
	var senders sync.WaitGroup
	for number, one := range opened {
		senders.Go(func() { tallies[number] = l.send(one, number, begin) })
	}
	senders.Wait()
	if err := ctx.Err(); err != nil {
		return figures{}, err
	}
	seen, err := summarize(tallies, l.seconds, time.Since(begin.Add(l.seconds/warmUpShare)), max(1, l.each))
	if err == nil {
		seen.cpu = (cpuTime(l.pid) - spent) / time.Duration(seen.answered)
	}
	return seen, err
}

func (l load) open(ctx context.Context) ([]*connection, error) {
	opened := make([]*connection, l.connections)
	for number := range opened {
		var err error
		if opened[number], err = dial(ctx, l.host, 2*l.seconds+exchangeTimeout); err != nil {
			return nil, err
		}
	}
	return opened, nil
}

// send keeps one connection busy until the cell's time is over. Each connection
// begins at another place of the round, so that they do not all ask for the same.
func (l load) send(c *connection, number int, begin time.Time) tally {
	defer c.close()
	var seen tally
	warm := begin.Add(l.seconds / warmUpShare)
	end := warm.Add(l.seconds)
	for next := number * len(l.requests) / l.connections; ; next++ {
		start := time.Now()
		if !start.Before(end) {
			if len(seen.taken) > 0 || seen.refused > 0 {
				return seen
			}
			seen.late = true // requests longer than a cell: one has to count
		}
		if err := l.do(c, l.requests[next%len(l.requests)]); err != nil {
			seen.fail(err)
			if _, goesOn := errors.AsType[*refusedError](err); !goesOn {
				return seen
			}
			continue
		}
		seen.answered++
		if start.After(warm) {
			seen.taken = append(seen.taken, time.Since(start))
		}
	}
}

func (l load) do(c *connection, request []byte) error {
	if l.exchange != nil {
		return l.exchange(c, request)
	}
	return c.exchange(request, nil)
}

// summarize adds the connections up. One failure makes the cell worthless. What
// was begun late is spread over the time that all of it took.
func summarize(tallies []tally, seconds, took time.Duration, each int) (figures, error) {
	var all tally
	for _, one := range tallies {
		all.add(one)
	}
	if all.first != nil {
		return figures{}, fmt.Errorf("%d of %d requests failed, the first with: %w", all.refused, all.refused+all.answered, all.first)
	}
	if all.late {
		seconds = took
	}
	return all.figures(seconds, each)
}
