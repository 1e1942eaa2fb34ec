package dumpgen

import "time"

// entry is one row of the ledger. It follows from the seed and its number, so that
// the usage rows, which stand before it in a dump, are made without remembering it.
type entry struct {
	number        int
	user          int
	amount        int64
	isUse         bool
	isAudio       bool
	input, output int64
	adjustedIn    int64
	adjustedOut   int64
	at            time.Time
}

// Shares of the rows, of a hundred.
const (
	mintsOf100 = 8
	audioOf100 = 30
)

const span = 90 * 24 * time.Hour

func (o Options) entry(number int) entry {
	random := source(o.Seed, streamRow, number)
	e := entry{
		number: number,
		user:   random.IntN(o.Users),
		at:     o.Now.Add(-span).Add(time.Duration(random.Int64N(int64(span)))).UTC().Truncate(time.Millisecond),
	}
	if random.IntN(100) < mintsOf100 {
		e.amount = []int64{3, 1_000, 50_000, 10_000_000, 20_000_000}[random.IntN(5)]
		return e
	}
	e.isUse = true
	e.input, e.output = random.Int64N(5_000), random.Int64N(1_000)
	// The original's ratios are 0.6 and 2.4 for text, 4.8 and 9.6 for audio.
	e.adjustedIn, e.adjustedOut = ceilTenths(e.input*6), ceilTenths(e.output*24)
	if e.isAudio = random.IntN(100) < audioOf100; e.isAudio {
		e.adjustedIn, e.adjustedOut = ceilTenths(e.input*48), ceilTenths(e.output*96)
	}
	e.amount = -(e.adjustedIn + e.adjustedOut)
	return e
}

func ceilTenths(tenths int64) int64 { return (tenths + 9) / 10 }

// facts adds the rows up.
func (o Options) facts() Facts {
	f := Facts{Sums: make([]int64, o.Users), Balances: make([]int64, o.Users)}
	for n := range o.Rows {
		e := o.entry(n)
		f.Sums[e.user] += e.amount
		if e.isUse {
			f.Uses++
			f.UseTokens -= e.amount
		} else {
			f.Mints++
		}
	}
	copy(f.Balances, f.Sums)
	for n := range min(o.WrongBalances, o.Users) {
		f.Balances[n] += int64(n%2*2-1) * int64(100+n)
	}
	return f
}
