package hooks

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

const (
	// collectorRoomBytes is how much a small heap may grow between two collections.
	// Go's own rule, to collect when it has doubled, costs a busy server with few
	// wallets a collection every few megabytes.
	collectorRoomBytes = 16 << 20
	// leastCollectorPercent is Go's own rule, which a bigger heap follows.
	leastCollectorPercent = 100
	mostCollectorPercent  = 400
	// collectorInterval is how often the rule is made to fit the heap.
	collectorInterval = 5 * time.Second

	liveHeapMetric = "/gc/heap/live:bytes"
)

// bindCollector lets the garbage collector of a small server rest. An operator's
// GOGC or GOMEMLIMIT is left alone.
func bindCollector(app core.App) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		stop()
		return e.Next()
	})
	go tuneCollector(ctx, time.Tick(collectorInterval))
}

func tuneCollector(ctx context.Context, ticks <-chan time.Time) {
	set := 0
	for {
		if percent := collectorPercent(liveHeap()); percent != set {
			debug.SetGCPercent(percent)
			set = percent
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
	}
}

// collectorPercent is how much a heap may grow, in percent of what lives in it.
// It moves in steps, because setting it stops the process for a moment.
func collectorPercent(liveBytes uint64) int {
	const step = 50
	percent := collectorRoomBytes * 100 / max(liveBytes, 1) / step * step
	return int(min(max(percent, leastCollectorPercent), mostCollectorPercent))
}

// liveHeap is what the last collection found in use, in bytes; 0 before it.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: liveHeapMetric}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return collectorRoomBytes // not known: Go's own rule
	}
	return sample[0].Value.Uint64()
}
