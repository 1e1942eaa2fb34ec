package ledger

// maxRememberedHolds bounds the memory of the writer for open holds, about 300
// bytes each. One beyond it costs a read when it is closed.
const maxRememberedHolds = 10_000

// openHolds remembers the open holds that the writer stored, so that their closing
// reads nothing: only the writer changes a hold. It belongs to the writer alone.
type openHolds map[string]HoldRow

// stored notes what a committed batch left of some holds.
func (o openHolds) stored(holds []HoldRow) {
	for _, hold := range holds {
		if hold.State != HoldOpen {
			delete(o, hold.ID)
			continue
		}
		if _, known := o[hold.ID]; !known && len(o) >= maxRememberedHolds {
			clear(o)
		}
		o[hold.ID] = hold
	}
}

// unsure forgets everything, after a batch of which nobody knows whether it is on
// disk.
func (o openHolds) unsure() { clear(o) }
