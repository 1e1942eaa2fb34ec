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
}

func (l load) run(ctx context.Context) (figures, error) {
	opened, err := l.open(ctx)
	if err != nil {
		return figures{}, err
	}
	begin := time.Now()
	tallies := make([]tally, l.connections)
	var senders sync.WaitGroup
	for number, one := range opened {
		senders.Go(func() { tallies[number] = l.send(one, number, begin) })
	}
	senders.Wait()
	if err := ctx.Err(); err != nil {
		return figures{}, err
	}
	return summarize(tallies, l.seconds)
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
			return seen
		}
		_, err := c.exchange(l.requests[next%len(l.requests)])
		if err != nil {
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

// summarize adds the connections up. One failure makes the cell worthless.
func summarize(tallies []tally, seconds time.Duration) (figures, error) {
	var all tally
	for _, one := range tallies {
		all.add(one)
	}
	if all.first != nil {
		return figures{}, fmt.Errorf("%d of %d requests failed, the first with: %w", all.refused, all.refused+all.answered, all.first)
	}
	return all.figures(seconds, 1)
}
