package simulate_test

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sokuji/internal/ledger/simulate"
)

// seconds is how long the seeds run in `make test`, where nothing else is asked for.
const seconds = 20

// TestSeeds runs seeds for a while, or as many as SIMULATE_SEEDS says. It begins at
// another seed each day, so that a project that is tested often is tested widely.
func TestSeeds(t *testing.T) {
	wanted, deadline := seeds(t)
	first := uint64(time.Now().Unix()/86_400) * 1_000_000
	var next, answers, crashes, failures atomic.Int64
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for !t.Failed() {
				n := next.Add(1) - 1
				if n >= wanted || time.Now().After(deadline) {
					next.Add(-1)
					return
				}
				options := simulate.Options{Seed: first + uint64(n), Steps: simulate.DefaultSteps}
				result, err := simulate.Run(options)
				if err != nil {
					t.Errorf("%v\nreplay it with: %s", err, simulate.Command(options))
				}
				answers.Add(int64(result.Answers))
				crashes.Add(int64(result.Crashes))
				failures.Add(int64(result.Failures))
			}
		})
	}
	workers.Wait()
	t.Logf("%d seeds from %d: %d answers, %d crashes, %d failures of the disk", next.Load(), first, answers.Load(), crashes.Load(), failures.Load())
	if next.Load() == 0 || answers.Load() == 0 || crashes.Load() == 0 || failures.Load() == 0 {
		t.Error("nothing happened, so nothing was tested")
	}
}

func seeds(t *testing.T) (wanted int64, deadline time.Time) {
	text := os.Getenv("SIMULATE_SEEDS")
	if text == "" {
		short := seconds * time.Second
		if testing.Short() {
			short = time.Second
		}
		return 1 << 40, time.Now().Add(short)
	}
	wanted, err := strconv.ParseInt(text, 10, 64)
	if err != nil || wanted < 1 {
		t.Fatalf("SIMULATE_SEEDS is %q: want a whole number of seeds, 1 or more", text)
	}
	return wanted, time.Now().Add(24 * time.Hour)
}

func TestTheSameSeedIsTheSameRun(t *testing.T) {
	run := func(seed uint64) (string, simulate.Result) {
		var trace strings.Builder
		result, err := simulate.Run(simulate.Options{Seed: seed, Steps: 120, Trace: &trace})
		if err != nil {
			t.Fatal(err)
		}
		return trace.String(), result
	}
	hashes := make(map[string]uint64)
	for seed := range uint64(12) {
		trace, result := run(seed)
		again, repeated := run(seed)
		if trace != again || result != repeated {
			t.Fatalf("seed %d ran in two ways, which part at line %d", seed, firstDifference(trace, again))
		}
		if other, taken := hashes[result.Hash]; taken {
			t.Fatalf("seeds %d and %d ran the same way", seed, other)
		}
		hashes[result.Hash] = seed
	}
}

func firstDifference(a, b string) int {
	one, other := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(one), len(other)) {
		if one[i] != other[i] {
			return i + 1
		}
	}
	return min(len(one), len(other)) + 1
}

// A run that meets no crash, no repetition or no refusal would prove little.
func TestRunsMeetEverything(t *testing.T) {
	var trace strings.Builder
	for seed := range uint64(60) {
		if _, err := simulate.Run(simulate.Options{Seed: seed, Steps: simulate.DefaultSteps, Trace: &trace}); err != nil {
			t.Fatal(err)
		}
	}
	text := trace.String()
	for _, event := range []string{
		"crash before begin", "crash before write", "crash after write", "crash before commit",
		"crash during commit, lost", "crash during commit, kept", "crash after commit", "killed",
		"fault begin", "fault write", "fault commit", "fault commit, which is on disk", "fault read", "fault due holds", "fault due grants",
		"slow write", "clock -", "sweep: <nil>", "replayed=true", "overloaded", "batch key",
		" settled ", " released ", "insufficient_balance", "wallet_frozen", "hold_not_open", "hold_not_found", "over_refund", "idempotency_mismatch",
	} {
		if !strings.Contains(text, event) {
			t.Errorf("%q never happened in 60 runs", event)
		}
	}
}
