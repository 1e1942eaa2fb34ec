package limits

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustBuckets(t testing.TB, period time.Duration, maxKeys int) *Buckets {
	t.Helper()
	buckets, err := NewBuckets(period, maxKeys)
	if err != nil {
		t.Fatal(err)
	}
	return buckets
}

func TestBucketRule(t *testing.T) {
	t.Parallel()
	const size = 6 // one comes back every 10 s
	buckets := mustBuckets(t, time.Minute, 0)
	for i, step := range []struct {
		after     time.Duration
		amount    int64
		allowed   bool
		remaining int64
		retry     time.Duration // rounded to seconds
		reset     time.Duration
	}{
		{0, 1, true, 5, 0, 10 * time.Second},
		{0, 4, true, 1, 0, 50 * time.Second},
		{0, 2, false, 1, 10 * time.Second, 50 * time.Second},
		{5 * time.Second, 2, false, 1, 5 * time.Second, 45 * time.Second}, // half a token is kept
		{10 * time.Second, 2, true, 0, 0, time.Minute},
		{20 * time.Second, 0, true, 1, 0, 50 * time.Second},
		{20 * time.Second, 7, false, 1, 50 * time.Second, 50 * time.Second}, // passes when it is full
		{71 * time.Second, 7, true, 0, 0, time.Minute},
		{3 * time.Minute, 6, true, 0, 0, time.Minute},
	} {
		got := buckets.Take("key", size, step.amount, start.Add(step.after))
		round := func(d time.Duration) time.Duration { return d.Round(10 * time.Second / 2) }
		if got.Allowed != step.allowed || got.Remaining != step.remaining || round(got.RetryAfter) != step.retry || round(got.Reset) != step.reset {
			t.Fatalf("step %d: got %+v, want %+v", i, got, step)
		}
	}
}

func TestGivingBack(t *testing.T) {
	t.Parallel()
	buckets := mustBuckets(t, time.Minute, 0)
	take := func(amount int64) Level { return buckets.Take("key", 100, amount, start) }
	take(80)
	buckets.Give("key", 100, 50, start)
	if got := take(0).Remaining; got != 70 {
		t.Errorf("%d are left after 50 came back, want 70", got)
	}
	buckets.Give("key", 100, 1_000, start)
	if got := take(0).Remaining; got != 100 {
		t.Errorf("%d are left, want a full bucket and no more", got)
	}
	buckets.Give("key", 100, -150, start)
	if got := take(1); got.Allowed || got.Remaining != 0 || got.RetryAfter < 30*time.Second {
		t.Errorf("a bucket in debt of 50 gave %+v, want half a minute more to wait", got)
	}
	buckets.Give("key", 100, math.MinInt64, start)
	if got := take(0).Reset.Round(time.Second); got != 2*time.Minute {
		t.Errorf("the deepest debt is over in %s, want 2m", got)
	}
	if !buckets.Take("key", 100, 100, start.Add(2*time.Minute+time.Second)).Allowed {
		t.Error("the debt is not over after two periods")
	}
}

func TestASmallerPlanHoldsAtOnce(t *testing.T) {
	t.Parallel()
	buckets := mustBuckets(t, time.Minute, 0)
	buckets.Take("key", 100, 50, start)
	if buckets.Take("key", 10, 1, start).Allowed {
		t.Error("after 50 of 100 a plan of 10 allows one more")
	}
	if !buckets.Take("key", 1000, 900, start).Allowed {
		t.Error("a greater plan does not hold at once")
	}
	if buckets.Take("key", 0, 0, start).Allowed || buckets.Take("key", -1, 0, start).Allowed {
		t.Error("a size of nothing allows something")
	}
}

func TestAClockThatGoesBack(t *testing.T) {
	t.Parallel()
	buckets := mustBuckets(t, time.Minute, 0)
	buckets.Take("key", 10, 10, start)
	if buckets.Take("key", 10, 1, start.Add(-time.Second)).Allowed {
		t.Error("a moment before the last call gave something back")
	}
	long := start.Add(-time.Hour)
	buckets.Take("key", 10, 1, long)
	if !buckets.Take("key", 10, 10, long.Add(time.Minute+time.Second)).Allowed {
		t.Error("a clock that was set back keeps a key waiting for it")
	}
}

// What passes in any stretch of time is at most the size and what came back in it.
func TestBucketsKeepTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		period := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, 7 * time.Nanosecond}).Draw(t, "period")
		size := rapid.OneOf(rapid.Int64Range(1, 50), rapid.Int64Range(1, math.MaxInt64/4)).Draw(t, "size")
		buckets := newBucketsOf(t, period)
		now := start
		type passed struct {
			at     time.Time
			amount float64
		}
		var all []passed
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(period)*2).Draw(t, "pause")))
			amount := rapid.Int64Range(0, size).Draw(t, "amount")
			level := buckets.Take("key", size, amount, now)
			if !level.Allowed {
				if level.RetryAfter <= 0 || level.RetryAfter > period+2 {
					t.Fatalf("wait %s of a period of %s", level.RetryAfter, period)
				}
				if again := buckets.Take("key", size, amount, now.Add(level.RetryAfter)); !again.Allowed {
					t.Fatalf("refused again after %s: %+v", level.RetryAfter, again)
				}
				now = now.Add(level.RetryAfter)
			}
			all = append(all, passed{now, float64(amount)})
			sum := 0.0
			for i := len(all) - 1; i >= 0; i-- {
				sum += all[i].amount
				most := float64(size) * (1 + float64(now.Sub(all[i].at))/float64(period))
				if sum > most*(1+1e-9)+1 {
					t.Fatalf("%g passed in %s, at most %g may", sum, now.Sub(all[i].at), most)
				}
			}
		}
	})
}

// newBucketsOf is mustBuckets for a rapid test.
func newBucketsOf(t *rapid.T, period time.Duration) *Buckets {
	buckets, err := NewBuckets(period, 0)
	if err != nil {
		t.Fatal(err)
	}
	return buckets
}

func TestBucketsAreBounded(t *testing.T) {
	t.Parallel()
	const most = 1024
	buckets := mustBuckets(t, time.Minute, most)
	for i := range 10 * most {
		buckets.Take(fmt.Sprint(i), 10, 1, start)
	}
	if got := buckets.Len(); got > most {
		t.Errorf("%d keys are remembered, at most %d may", got, most)
	}
	for i := range 10 * most {
		buckets.Take(fmt.Sprint("later", i), 10, 0, start.Add(time.Hour))
	}
	if got := buckets.Len(); got > most {
		t.Errorf("%d keys are remembered later", got)
	}
}

func TestBucketsSideBySide(t *testing.T) {
	t.Parallel()
	buckets := mustBuckets(t, time.Minute, 0)
	var passed atomic.Int64
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			for range 20 {
				if buckets.Take("key", 100, 1, start).Allowed {
					passed.Add(1)
				}
			}
		})
	}
	group.Wait()
	if passed.Load() != 100 {
		t.Errorf("%d of 1000 passed a bucket of 100", passed.Load())
	}
}

func TestNewBucketsRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []struct {
		period time.Duration
		keys   int
	}{{0, 0}, {-1, 0}, {MaxPeriod + 1, 0}, {time.Minute, -1}} {
		if _, err := NewBuckets(bad.period, bad.keys); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	var sessions Sessions
	for i, want := range []bool{true, true, false} {
		if got := sessions.Enter("key", 2); got != want {
			t.Errorf("session %d: %v", i, got)
		}
	}
	if !sessions.Enter("other", 1) || sessions.Enter("none", 0) {
		t.Error("keys are not apart, or a bound of 0 lets one in")
	}
	sessions.Leave("key")
	if !sessions.Enter("key", 2) || sessions.Open("key") != 2 {
		t.Error("one that left does not make room")
	}
	sessions.Leave("key")
	sessions.Leave("key")
	sessions.Leave("key") // once too often
	sessions.Leave("other")
	if len(sessions.open) != 0 || sessions.Open("key") != 0 {
		t.Errorf("%v is remembered after all left", sessions.open)
	}
}

func BenchmarkBuckets(b *testing.B) {
	buckets := mustBuckets(b, time.Minute, 0)
	b.ReportAllocs()
	for b.Loop() {
		buckets.Take("user0000000001", 1<<40, 1, start)
	}
}
