package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"sokuji/e2e/testserver"
)

// fate is what a client knows about its operation.
type fate int

const (
	unknown      fate = iota // no answer came: it happened once, or not at all
	acknowledged             // 200: it happened, exactly once
	refused                  // another status: it did not happen
)

// operation is one that a client sent. Its description is unlike any other's, so
// that it can be found in the ledger whatever became of it.
type operation struct {
	kind    string // mint, use or refund, as in event_type
	op      testserver.Op
	fate    fate
	status  int
	receipt testserver.Receipt
}

// send performs the operation and notes what the client learns.
func (o *operation) send(ctx context.Context, server *testserver.Server) {
	call := map[string]func(context.Context, testserver.Op) (testserver.Receipt, error){
		"mint": server.Mint, "use": server.Use, "refund": server.Refund,
	}[o.kind]
	receipt, err := call(ctx, o.op)
	o.status = statusOf(err)
	switch o.status {
	case 200:
		o.fate, o.receipt = acknowledged, receipt
	case 0:
		o.fate = unknown
	default:
		o.fate = refused
	}
}

// repeatable tells whether the server can recognise a second sending.
func (o *operation) repeatable() bool {
	return o.op.IdempotencyKey != "" || o.op.ExternalEventID != ""
}

// signedAmount is what the entry of the operation must say.
func (o *operation) signedAmount() int64 {
	if o.kind == "mint" {
		return o.op.Amount
	}
	return -o.op.Amount // uses, and refunds of mints
}

const maxOperationTokens = 50

// loadClient sends operations of all kinds until its connection breaks.
type loadClient struct {
	name   string // of round and client
	userID string
	random *rand.Rand
	sent   []*operation
}

func newLoadClient(seed uint64, round, number int, userID string) *loadClient {
	return &loadClient{
		name:   fmt.Sprintf("r%d-c%d", round, number),
		userID: userID,
		random: rand.New(rand.NewPCG(seed, uint64(round)<<32|uint64(number))),
	}
}

func (c *loadClient) run(ctx context.Context, server *testserver.Server) {
	for ctx.Err() == nil {
		o := c.next()
		c.sent = append(c.sent, o)
		o.send(ctx, server)
		if o.fate == unknown {
			return
		}
	}
}

// next chooses an operation: half are uses, and every other use has a key.
func (c *loadClient) next() *operation {
	name := fmt.Sprintf("%s-%d", c.name, len(c.sent))
	o := &operation{op: testserver.Op{
		UserID: c.userID, Amount: 1 + c.random.Int64N(maxOperationTokens), Description: "operation " + name,
	}}
	switch pick := c.random.IntN(8); {
	case pick < 2:
		o.kind, o.op.IdempotencyKey = "use", "key-"+name
	case pick < 4:
		o.kind = "use"
	case pick < 5:
		if target := c.mintToRefund(); target != nil {
			o.kind, o.op.IdempotencyKey, o.op.LedgerID = "refund", "key-"+name, target.receipt.Entry.ID
			o.op.Amount = 1 + c.random.Int64N(target.op.Amount)
			break
		}
		fallthrough
	default:
		o.kind, o.op.ExternalEventID = "mint", "evt-"+name
	}
	return o
}

// mintToRefund picks one of the client's own acknowledged mints. It may have been
// refunded before: then the server has to refuse what is too much.
func (c *loadClient) mintToRefund() *operation {
	if len(c.sent) == 0 {
		return nil
	}
	candidate := c.sent[c.random.IntN(len(c.sent))]
	if candidate.kind != "mint" || candidate.fate != acknowledged {
		return nil
	}
	return candidate
}

// runClients runs all clients until each has lost its connection or the context
// ends, and returns what they sent.
func runClients(ctx context.Context, server *testserver.Server, clients []*loadClient) []*operation {
	var group sync.WaitGroup
	for _, client := range clients {
		group.Go(func() { client.run(ctx, server) })
	}
	group.Wait()
	var sent []*operation
	for _, client := range clients {
		sent = append(sent, client.sent...)
	}
	return sent
}
