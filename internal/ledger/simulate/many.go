package simulate

import (
	"context"
	"fmt"
	"sync"
)

// Failure is a run that found something.
type Failure struct {
	Seed  uint64
	Steps int
	Cause error
}

func (f *Failure) Error() string {
	return fmt.Sprintf("seed %d, %v\nreplay it with: sokuji simulate --seed %d --steps %d --trace", f.Seed, f.Cause, f.Seed, f.Steps)
}

func (f *Failure) Unwrap() error { return f.Cause }

// Totals sums runs.
type Totals struct {
	Seeds int64
	Result
}

// Many runs count seeds from the first on, some at a time, until one fails or the
// context ends; both leave the totals of the runs that finished. workers is 1 or
// more.
func Many(ctx context.Context, first uint64, count int64, steps, workers int) (Totals, error) {
	var (
		mu      sync.Mutex
		next    int64
		totals  Totals
		failure *Failure
		running sync.WaitGroup
	)
	take := func() (uint64, bool) {
		mu.Lock()
		defer mu.Unlock()
		if next == count || failure != nil || ctx.Err() != nil {
			return 0, false
		}
		next++
		return first + uint64(next-1), true
	}
	keep := func(seed uint64, result Result, err error) {
		mu.Lock()
		defer mu.Unlock()
		totals.add(result)
		if err != nil && (failure == nil || seed < failure.Seed) {
			failure = &Failure{Seed: seed, Steps: steps, Cause: err}
		}
	}
	for range workers {
		running.Go(func() {
			for seed, more := take(); more; seed, more = take() {
				result, err := Run(Options{Seed: seed, Steps: steps})
				keep(seed, result, err)
			}
		})
	}
	running.Wait()
	if failure != nil {
		return totals, failure
	}
	return totals, nil
}

func (t *Totals) add(r Result) {
	t.Seeds++
	t.Requests += r.Requests
	t.Repeats += r.Repeats
	t.Answers += r.Answers
	t.Refusals += r.Refusals
	t.Entries += r.Entries
	t.Crashes += r.Crashes
	t.Failures += r.Failures
}

func (r Result) String() string {
	return fmt.Sprintf("%d requests and %d repetitions, %d done, %d refused, %d entries, %d crashes, %d failures of the disk",
		r.Requests, r.Repeats, r.Answers, r.Refusals, r.Entries, r.Crashes, r.Failures)
}
