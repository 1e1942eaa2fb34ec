package hooks

import (
	"runtime"
	"testing"
)

func TestASmallHeapIsCollectedLessOften(t *testing.T) {
	tests := map[string]struct {
		liveBytes uint64
		want      int
	}{
		"before the first collection": {0, mostCollectorPercent},
		"an idle server":              {collectorRoomBytes / 4, mostCollectorPercent},
		"a small one":                 {collectorRoomBytes / 2, 200},
		"steps, not every megabyte":   {collectorRoomBytes * 10 / 17, 150},
		"as much as the room":         {collectorRoomBytes, 100},
		"a big one keeps Go's rule":   {1 << 30, 100},
		"no overflow":                 {1 << 62, 100},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := collectorPercent(test.liveBytes); got != test.want {
				t.Errorf("got %d %%, want %d %%", got, test.want)
			}
		})
	}
}

func TestTheRoomNeverExceedsItsBoundByMuch(t *testing.T) {
	for live := uint64(1 << 20); live < collectorRoomBytes; live += 1 << 18 {
		room := live * uint64(collectorPercent(live)) / 100
		if room > collectorRoomBytes {
			t.Fatalf("%d bytes in use may grow by %d", live, room)
		}
	}
}

func TestTheLiveHeapIsRead(t *testing.T) {
	kept := make([]byte, 8<<20)
	runtime.GC()
	if got := liveHeap(); got < uint64(len(kept)) || got > 1<<30 {
		t.Errorf("%d bytes are in use, of which %d are ours", got, len(kept))
	}
	runtime.KeepAlive(kept)
}
