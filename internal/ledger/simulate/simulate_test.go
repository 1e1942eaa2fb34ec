package simulate_test

import (
	"context"
	"errors"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sokuji/internal/ledger/simulate"
)

// seconds is how long the seeds run in `make test`, where nothing else is asked for.
const seconds = 20

// TestSeeds runs seeds for a while, or as many as SIMULATE_SEEDS says. It begins at
// another seed each day, so that a project that is tested often is tested widely.
func TestSeeds(t *testing.T) {
	ctx, wanted := seeds(t)
	first := uint64(time.Now().Unix()/86_400) * 1_000_000
	totals, err := simulate.Many(ctx, first, wanted, simulate.DefaultSteps, 2)
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d seeds from %d: %s", totals.Seeds, first, totals.Result)
	if totals.Answers == 0 || totals.Crashes == 0 || totals.Failures == 0 {
		t.Error("nothing happened, so nothing was tested")
	}
}

func seeds(t *testing.T) (context.Context, int64) {
	text := os.Getenv("SIMULATE_SEEDS")
	if text == "" {
		while := seconds * time.Second
		if testing.Short() {
			while = time.Second
		}
		ctx, cancel := context.WithTimeout(t.Context(), while)
		t.Cleanup(cancel)
		return ctx, math.MaxInt64
	}
	wanted, err := strconv.ParseInt(text, 10, 64)
	if err != nil || wanted < 1 {
		t.Fatalf("SIMULATE_SEEDS is %q: want a whole number of seeds, 1 or more", text)
	}
	return t.Context(), wanted
}

func TestManySaysHowToReplayWhatFailed(t *testing.T) {
	failure := &simulate.Failure{Seed: 7, Steps: 30, Cause: errors.New("step 3: gone")}
	const want = "seed 7, step 3: gone\nreplay it with: sokuji simulate --seed 7 --steps 30 --trace"
	if failure.Error() != want {
		t.Fatalf("got %q", failure.Error())
	}
}

func TestManySumsWhatRunFinds(t *testing.T) {
	var entries, crashes int
	for seed := range uint64(5) {
		result, err := simulate.Run(simulate.Options{Seed: 40 + seed, Steps: 30})
		if err != nil {
			t.Fatal(err)
		}
		entries, crashes = entries+result.Entries, crashes+result.Crashes
	}
	totals, err := simulate.Many(t.Context(), 40, 5, 30, 2)
	if err != nil || totals.Seeds != 5 || totals.Entries != entries || totals.Crashes != crashes {
		t.Fatalf("got %+v, %v; want %d entries and %d crashes", totals, err, entries, crashes)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if totals, err := simulate.Many(over, 40, 5, 30, 2); err != nil || totals.Seeds != 0 {
		t.Fatalf("after the end: %+v, %v", totals, err)
	}
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
	for seed := range uint64(6) {
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

// Runs that meet no crash, no repetition or no refusal would prove little.
func TestRunsMeetEverything(t *testing.T) {
	missing := []string{
		"crash before begin", "crash before write", "crash after write", "crash before commit",
		"crash during commit, lost", "crash during commit, kept", "crash after commit", "killed",
		"fault begin", "fault write", "fault commit", "fault commit, which is on disk", "fault read", "fault due holds", "fault due grants",
		"slow write", "clock -", "sweep: <nil>", "replayed=true", "overloaded", "batch key", " settled ", " released ",
		"insufficient_balance", "wallet_frozen", "hold_not_open", "hold_not_found", "over_refund", "idempotency_mismatch",
		"forbidden", "spend_limit_reached",
	}
	const most = 100
	for seed := uint64(0); len(missing) > 0; seed++ {
		if seed == most {
			t.Fatalf("%q never happened in %d runs", missing, most)
		}
		var trace strings.Builder
		if _, err := simulate.Run(simulate.Options{Seed: seed, Steps: simulate.DefaultSteps, Trace: &trace}); err != nil {
			t.Fatal(err)
		}
		missing = slices.DeleteFunc(missing, func(event string) bool { return strings.Contains(trace.String(), event) })
	}
}
