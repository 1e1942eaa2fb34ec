package ledger_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sokuji/internal/ledger"
)

// gate holds the first commit of a store until it is opened, so that what comes
// meanwhile is known to be in the queue.
type gate struct {
	held    chan struct{}
	release chan struct{}
	once    sync.Once
	commits atomic.Int64
	writes  atomic.Int64
	write   func() error
}

func newGate() *gate {
	return &gate{held: make(chan struct{}), release: make(chan struct{})}
}

func (g *gate) hold(step string) error {
	switch step {
	case "write":
		if g.write != nil {
			return g.write()
		}
	case "commit":
		g.commits.Add(1)
		g.once.Do(func() { close(g.held); <-g.release })
	}
	return nil
}

func (g *gate) wait(t *testing.T) {
	t.Helper()
	select {
	case <-g.held:
	case <-time.After(10 * time.Second):
		t.Fatal("no commit came")
	}
}

func (g *gate) open() { close(g.release) }

// call is an operation under way in another goroutine.
type call struct {
	done    chan struct{}
	receipt ledger.Receipt
	err     error
}

// start runs an operation; the first one goes straight to the store.
func start(ctx context.Context, b bench, op ledger.Operation) *call {
	c := &call{done: make(chan struct{})}
	go func() {
		c.receipt, c.err = b.Do(ctx, op)
		close(c.done)
	}()
	return c
}

// queue runs an operation while the gate is shut, and returns once it waits in
// the queue, so that the order of calls is the order of operations.
func queue(ctx context.Context, t *testing.T, b bench, op ledger.Operation) *call {
	t.Helper()
	before := b.Waiting()
	c := start(ctx, b, op)
	deadline := time.Now().Add(10 * time.Second)
	for b.Waiting() == before {
		if time.Now().After(deadline) {
			t.Fatal("the operation did not reach the queue")
		}
		time.Sleep(10 * time.Microsecond)
	}
	return c
}

func (c *call) wait() (ledger.Receipt, error) {
	<-c.done
	return c.receipt, c.err
}

func (c *call) result(t *testing.T) ledger.Receipt {
	t.Helper()
	receipt, err := c.wait()
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}
