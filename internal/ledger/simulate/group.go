package simulate

import (
	"runtime"

	"sokuji/internal/ledger"
)

// gate stops the writer at the beginning of a transaction until it is opened.
type gate struct{ held, open chan struct{} }

func newGate() *gate { return &gate{held: make(chan struct{}), open: make(chan struct{})} }

func (g *gate) wait() {
	close(g.held)
	<-g.open
}

// together sends requests so that all but the first share one batch, in their
// order, and returns their answers in the same order.
func together(l *ledger.Ledger, d *disk, sends []func() answer) []answer {
	answers := make([]answer, len(sends))
	done := make([]chan struct{}, len(sends))
	start := func(i int) {
		done[i] = make(chan struct{})
		go func() {
			answers[i] = sends[i]()
			close(done[i])
		}()
	}
	g := newGate()
	d.gate = g
	start(0)
	<-g.held
	for i := 1; i < len(sends); i++ {
		start(i)
		for l.Waiting() < i {
			runtime.Gosched()
		}
	}
	close(g.open)
	for _, finished := range done {
		<-finished
	}
	return answers
}
