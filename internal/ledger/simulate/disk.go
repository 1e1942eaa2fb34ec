package simulate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"sokuji/internal/ledger"
)

var (
	errCrashed = errors.New("the process is dead")
	errFull    = errors.New("the disk is full")
	errBroken  = errors.New("the disk did not obey")
)

// rates are chances in a thousand, drawn anew for each run so that some runs are
// calm and others are storms.
type rates struct {
	crash, fail, conflict, slow, full int
}

func drawRates(random *rand.Rand) rates {
	scale := []int{0, 1, 1, 3, 8}
	draw := func(base int) int { return base * scale[random.IntN(len(scale))] }
	return rates{crash: draw(5), fail: draw(10), conflict: draw(8), slow: draw(30), full: draw(3)}
}

// longestFull is how many writes a full disk refuses at most before it recovers.
const longestFull = 12

// disk is a store that fails on purpose. Its dice are its own, and only the
// writer rolls them while the driver waits.
type disk struct {
	inner  ledger.Store
	clock  *clock
	random *rand.Rand
	rates  rates

	calm    bool // nothing fails any more
	crashed bool // since the last restart
	full    int  // writes that will be refused
	gate    *gate
	note    func(format string, arguments ...any)
	crashes int
	faults  int
}

func (d *disk) chance(inThousand int) bool {
	return !d.calm && d.random.IntN(1000) < inThousand
}

// crash kills the process.
func (d *disk) crash(when string) error {
	d.crashed = true
	d.crashes++
	d.note("crash %s", when)
	return errCrashed
}

func (d *disk) fault(what string, err error) error {
	d.faults++
	d.note("fault %s", what)
	return fmt.Errorf("%s: %w", what, err)
}

// step is what may go wrong at any step, before it happened.
func (d *disk) step(name string) error {
	if d.crashed {
		return errCrashed
	}
	if d.chance(d.rates.slow) {
		d.clock.advance(time.Duration(1+d.random.IntN(5000)) * time.Millisecond)
		d.note("slow %s", name)
	}
	if d.chance(d.rates.crash) {
		return d.crash("before " + name)
	}
	if d.chance(d.rates.fail) {
		return d.fault(name, errBroken)
	}
	return nil
}

func (d *disk) Begin(ctx context.Context) (ledger.Tx, error) {
	if g := d.gate; g != nil {
		d.gate = nil
		g.wait()
	}
	if err := d.step("begin"); err != nil {
		return nil, err
	}
	inner, err := d.inner.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return &transaction{Tx: inner, disk: d}, nil
}

func (d *disk) Wallet(ctx context.Context, subject ledger.Subject) (ledger.Wallet, bool, error) {
	return d.inner.Wallet(ctx, subject)
}

func (d *disk) DueHolds(ctx context.Context, now time.Time, after ledger.DuePosition, limit int) ([]ledger.Due, error) {
	if err := d.step("due holds"); err != nil {
		return nil, err
	}
	return d.inner.DueHolds(ctx, now, after, limit)
}

func (d *disk) DueGrants(ctx context.Context, now time.Time, after ledger.DuePosition, limit int) ([]ledger.Due, error) {
	if err := d.step("due grants"); err != nil {
		return nil, err
	}
	return d.inner.DueGrants(ctx, now, after, limit)
}
