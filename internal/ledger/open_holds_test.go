package ledger

import (
	"strconv"
	"testing"
)

func TestOpenHoldsAreRememberedUntilTheyClose(t *testing.T) {
	t.Parallel()
	holds := make(openHolds)
	holds.stored([]HoldRow{{ID: "a", State: HoldOpen, Amount: 1}, {ID: "b", State: HoldOpen}})
	holds.stored([]HoldRow{{ID: "a", State: HoldOpen, Amount: 5}, {ID: "b", State: HoldSettled}})
	if len(holds) != 1 || holds["a"].Amount != 5 {
		t.Fatalf("remembered are %v", holds)
	}
	holds.unsure()
	if len(holds) != 0 {
		t.Fatalf("remembered are %v after a commit that may have failed", holds)
	}
}

func TestRememberedHoldsAreBounded(t *testing.T) {
	t.Parallel()
	holds := make(openHolds)
	for i := range 3 * maxRememberedHolds {
		holds.stored([]HoldRow{{ID: strconv.Itoa(i), State: HoldOpen}})
		if len(holds) > maxRememberedHolds {
			t.Fatalf("%d holds are remembered", len(holds))
		}
	}
	last := strconv.Itoa(3*maxRememberedHolds - 1)
	if _, known := holds[last]; !known {
		t.Error("the latest hold is not remembered")
	}
}
