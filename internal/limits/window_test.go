package limits

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"
)

var start = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// mustWindow returns a window or fails the test.
func mustWindow(t testing.TB, config Config) *Window {
	t.Helper()
	window, err := NewWindow(config)
	if err != nil {
		t.Fatal(err)
	}
	return window
}

func TestWindowRule(t *testing.T) {
	t.Parallel()
	window := mustWindow(t, Config{Max: 3, Period: 10 * time.Second})
	steps := []struct {
		after time.Duration // since the first request
		want  Decision
	}{
		{0, Decision{Allowed: true, Remaining: 2}},
		{4 * time.Second, Decision{Allowed: true, Remaining: 1}},
		{9 * time.Second, Decision{Allowed: true, Remaining: 0}},
		{9 * time.Second, Decision{RetryAfter: time.Second}},
		{9*time.Second + 999*time.Millisecond, Decision{RetryAfter: time.Millisecond}},
		// The window started with the first request, not with the last.
		{10 * time.Second, Decision{Allowed: true, Remaining: 2}},
		{11 * time.Second, Decision{Allowed: true, Remaining: 1}},
		{12 * time.Second, Decision{Allowed: true, Remaining: 0}},
		{13 * time.Second, Decision{RetryAfter: 7 * time.Second}},
		// The second window started at 10 s, and the refusals did not move it.
		{20 * time.Second, Decision{Allowed: true, Remaining: 2}},
		{time.Hour, Decision{Allowed: true, Remaining: 2}},
	}
	for i, step := range steps {
		if got := window.Allow("key", start.Add(step.after)); got != step.want {
			t.Fatalf("step %d at %s: got %+v, want %+v", i, step.after, got, step.want)
		}
	}
}

func TestWindowKeysAreApart(t *testing.T) {
	t.Parallel()
	window := mustWindow(t, Config{Max: 1, Period: time.Minute})
	long := strings.Repeat("x", maxKeyBytes)
	keys := []string{"", "a", "b", long, long + "1", long + "2"}
	for _, key := range keys {
		if !window.Allow(key, start).Allowed {
			t.Errorf("the first request of a key of %d bytes was refused", len(key))
		}
	}
	for _, key := range keys {
		if window.Allow(key, start).Allowed {
			t.Errorf("the second request of a key of %d bytes was allowed", len(key))
		}
	}
	if window.Len() != len(keys) {
		t.Errorf("remembers %d keys, want %d", window.Len(), len(keys))
	}
}

func TestWindowBoundsTheSizeOfAKey(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, 1, maxKeyBytes, maxKeyBytes + 1, 1 << 20} {
		if got := boundedKey(strings.Repeat("k", length)); len(got) > maxKeyBytes {
			t.Errorf("a key of %d bytes is remembered in %d", length, len(got))
		}
	}
	short := strings.Repeat("k", maxKeyBytes)
	if boundedKey(short) != short {
		t.Error("a short key was changed")
	}
}

func TestWindowOff(t *testing.T) {
	t.Parallel()
	window := mustWindow(t, Config{Max: 0, Period: time.Second})
	for range 1000 {
		if got := window.Allow("key", start); got != (Decision{Allowed: true, Remaining: Unlimited}) {
			t.Fatalf("got %+v", got)
		}
	}
	if window.Len() != 0 {
		t.Errorf("a window that is off remembers %d keys", window.Len())
	}
}

func TestNewWindowRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		field  string
		config Config
	}{
		{"Max", Config{Max: -1, Period: time.Second}},
		{"Period", Config{Max: 1}},
		{"Period", Config{Max: 1, Period: -time.Second}},
		{"Period", Config{Max: 1, Period: MaxPeriod + 1}},
		{"MaxKeys", Config{Max: 1, Period: time.Second, MaxKeys: -1}},
	}
	for _, test := range tests {
		window, err := NewWindow(test.config)
		if err == nil || window != nil {
			t.Errorf("%+v was accepted", test.config)
			continue
		}
		if !strings.Contains(err.Error(), test.field+" must") {
			t.Errorf("%q does not name %s", err, test.field)
		}
	}
}

func TestDecisionSeconds(t *testing.T) {
	t.Parallel()
	tests := map[time.Duration]int64{
		0:                        0,
		1:                        1,
		time.Millisecond:         1,
		time.Second - 1:          1,
		time.Second:              1,
		time.Second + 1:          2,
		10 * time.Second:         10,
		59500 * time.Millisecond: 60,
	}
	for wait, want := range tests {
		if got := (Decision{RetryAfter: wait}).Seconds(); got != want {
			t.Errorf("%s: got %d, want %d", wait, got, want)
		}
	}
}

func TestWindowClockGoingBackwards(t *testing.T) {
	t.Parallel()
	const period = 10 * time.Second
	tests := []struct {
		name    string
		back    time.Duration
		allowed bool
	}{
		{"by a nanosecond, as concurrent requests do", 1, false},
		{"by less than a period", period - 1, false},
		{"by one period", period, false},
		{"by more than a period", period + 1, true},
		{"by a year", 365 * 24 * time.Hour, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			window := mustWindow(t, Config{Max: 1, Period: period})
			window.Allow("key", start)
			got := window.Allow("key", start.Add(-test.back))
			if got.Allowed != test.allowed {
				t.Fatalf("got %+v, want allowed %v", got, test.allowed)
			}
			if got.RetryAfter > period {
				t.Fatalf("asks to wait %s, longer than a period", got.RetryAfter)
			}
			if window.Len() != 1 {
				t.Fatalf("remembers %d keys", window.Len())
			}
		})
	}
}

// TestWindowStaysExactAcrossOutOfOrderClocks sends moments that jitter by a few
// milliseconds, as goroutines that read the clock before the lock do.
func TestWindowStaysExactAcrossOutOfOrderClocks(t *testing.T) {
	t.Parallel()
	window := mustWindow(t, Config{Max: 50, Period: time.Minute})
	allowed := 0
	for i := range 200 {
		jitter := time.Duration(i*7%11-5) * time.Millisecond
		if window.Allow("key", start.Add(jitter)).Allowed {
			allowed++
		}
	}
	if allowed != 50 {
		t.Fatalf("%d allowed, want 50", allowed)
	}
}

func TestWindowAllowsExactlyMaxToConcurrentRequests(t *testing.T) {
	t.Parallel()
	const goroutines, requests, keys, limit = 32, 400, 5, 100
	window := mustWindow(t, Config{Max: limit, Period: time.Hour})
	var allowed [keys]atomic.Int64
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			for i := range requests {
				key := (g + i) % keys
				if window.Allow(fmt.Sprint("key ", key), time.Now()).Allowed {
					allowed[key].Add(1)
				}
			}
		})
	}
	group.Wait()
	for key := range keys {
		if got := allowed[key].Load(); got != limit {
			t.Errorf("key %d: %d allowed, want %d", key, got, limit)
		}
	}
}

func TestWindowForgetsEndedKeys(t *testing.T) {
	t.Parallel()
	window := mustWindow(t, Config{Max: 1, Period: time.Second, MaxKeys: 200})
	for i := range 100 {
		window.Allow(fmt.Sprint("old ", i), start)
	}
	// Each request clears two ended windows, so 50 clear all of them.
	for i := range 50 {
		window.Allow(fmt.Sprint("new ", i), start.Add(time.Second))
	}
	if got := window.Len(); got != 50 {
		t.Fatalf("remembers %d keys, want the 50 new ones", got)
	}
}

func TestWindowEvictsTheOldest(t *testing.T) {
	t.Parallel()
	window := mustWindow(t, Config{Max: 1, Period: time.Hour, MaxKeys: 3})
	for i, key := range []string{"a", "b", "c", "d"} {
		window.Allow(key, start.Add(time.Duration(i)*time.Second))
	}
	now := start.Add(10 * time.Second)
	for _, key := range []string{"b", "c", "d"} {
		if window.Allow(key, now).Allowed {
			t.Errorf("%s was forgotten", key)
		}
	}
	if !window.Allow("a", now).Allowed {
		t.Error("the oldest key was not evicted")
	}
}

func TestWindowRestartMakesAKeyTheNewest(t *testing.T) {
	t.Parallel()
	window := mustWindow(t, Config{Max: 1, Period: time.Minute, MaxKeys: 4})
	for _, key := range []string{"x", "y", "a", "z"} {
		window.Allow(key, start)
	}
	// All four have ended. This sweeps x and y and starts a anew, behind z.
	now := start.Add(time.Minute)
	window.Allow("a", now)
	if got := window.Len(); got != 2 {
		t.Fatalf("remembers %d keys, want a and z", got)
	}
	// This sweeps z, which a must not hide.
	window.Allow("b", now)
	if got := window.Len(); got != 2 {
		t.Fatalf("remembers %d keys, want a and b", got)
	}
	if window.Allow("a", now).Allowed {
		t.Fatal("the restarted window was lost")
	}
}

func TestWindowNeverExceedsMaxKeys(t *testing.T) {
	t.Parallel()
	for _, maxKeys := range []int{1, 2, 3, 255, 511, 512, 1000, 20_000} {
		window := mustWindow(t, Config{Max: 1, Period: time.Hour, MaxKeys: maxKeys})
		for i := range 3*maxKeys + 10 {
			window.Allow(fmt.Sprint(i), start)
			if i%maxShards == 0 && window.Len() > maxKeys {
				t.Fatalf("%d keys remembered, the bound is %d", window.Len(), maxKeys)
			}
		}
		// An uneven spread may leave a little room, but not half of it.
		if got := window.Len(); got > maxKeys || got < maxKeys/2 {
			t.Errorf("%d keys remembered after a flood, the bound is %d", got, maxKeys)
		}
	}
}

func TestWindowDefaultMaxKeys(t *testing.T) {
	t.Parallel()
	window := mustWindow(t, Config{Max: 1, Period: time.Hour})
	room := 0
	for i := range window.shards {
		room += window.shards[i].counters.most
	}
	if len(window.shards) != maxShards || room > DefaultMaxKeys || room < DefaultMaxKeys-maxShards {
		t.Fatalf("%d shards with room for %d keys", len(window.shards), room)
	}
}

// TestWindowAgainstModel compares with the rule written as plainly as possible.
func TestWindowAgainstModel(t *testing.T) {
	t.Parallel()
	type model struct {
		start time.Time
		count int
	}
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 4).Draw(t, "max")
		period := time.Duration(rapid.IntRange(1, 20).Draw(t, "period")) * time.Second
		window, err := NewWindow(Config{Max: limit, Period: period})
		if err != nil {
			t.Fatal(err)
		}
		models := map[string]*model{}
		now := start
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(0, 8000).Draw(t, "pause")) * time.Millisecond)
			key := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")
			state := models[key]
			if state == nil || now.Sub(state.start) >= period {
				state = &model{start: now}
				models[key] = state
			}
			want := Decision{RetryAfter: state.start.Add(period).Sub(now)}
			if state.count < limit {
				state.count++
				want = Decision{Allowed: true, Remaining: limit - state.count}
			}
			if got := window.Allow(key, now); got != want {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		}
	})
}

func TestAllowDoesNotKeepTheRequestAlive(t *testing.T) {
	t.Parallel()
	window := mustWindow(t, Config{Max: 2, Period: time.Hour})
	buffer := []byte("key and much more")
	request := string(buffer)
	window.Allow(request[:3], start)
	for part := range window.shards {
		for _, c := range window.shards[part].counters.items {
			if c.key != "key" {
				t.Fatalf("remembers %q", c.key)
			}
			if sameMemory(c.key, request) {
				t.Fatal("the remembered key is a slice of the request")
			}
		}
	}
}

// sameMemory reports whether part begins at the first byte of whole.
func sameMemory(part, whole string) bool {
	return unsafe.StringData(part) == unsafe.StringData(whole)
}

func BenchmarkAllowKnownKey(b *testing.B) {
	window := mustWindow(b, Config{Max: 1 << 30, Period: time.Hour})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			window.Allow("user 1", start)
		}
	})
}

func BenchmarkAllowFloodOfNewKeys(b *testing.B) {
	window := mustWindow(b, Config{Max: 3, Period: time.Hour})
	keys := make([]string, 1<<18)
	for i := range keys {
		keys[i] = fmt.Sprint("203.0.113.7 ", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		window.Allow(keys[i%len(keys)], start)
	}
}
