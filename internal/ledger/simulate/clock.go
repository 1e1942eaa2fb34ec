package simulate

import "time"

// clock is the simulated machine's. The driver and the writer take turns, so it
// needs no lock.
type clock struct {
	now    time.Time
	latest time.Time
}

func newClock() *clock {
	start := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	return &clock{now: start, latest: start}
}

func (c *clock) Now() time.Time { return c.now }

func (c *clock) advance(d time.Duration) {
	c.now = c.now.Add(d)
	if c.now.After(c.latest) {
		c.latest = c.now
	}
}
