package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"sokuji/e2e/testserver"
)

// fate is what a client knows about its operation.
type fate int

const (
	unknown      fate = iota // no answer came: it happened once, or not at all
	acknowledged             // success: it happened, exactly once
	refused                  // another status: it did not happen
)

// operation is one that a client sent. Its description is unlike any other's, so
// that it can be found in the books whatever became of it.
type operation struct {
	kind string                // as in wallet_requests: mint, use, refund, batch, hold, extend, settle, release
	op   testserver.Op         // of a mint, use or refund; the user, key and description of all others too
	hold testserver.HoldOp     // what an operation on a hold adds to op
	uses []testserver.BatchUse // of a batch

	fate    fate
	status  int
	err     error
	receipt testserver.Receipt // of what makes one entry, and Replayed of all
	opened  testserver.HoldReceipt
	results []testserver.BatchResult
}

// send performs the operation and notes what the client learns.
func (o *operation) send(ctx context.Context, server *testserver.Server) {
	o.err = o.call(ctx, server)
	o.status = statusOf(o.err)
	switch o.status {
	case 200:
		o.fate = acknowledged
	case 0:
		o.fate = unknown
	default:
		o.fate = refused
	}
}

func (o *operation) call(ctx context.Context, server *testserver.Server) (err error) {
	switch o.kind {
	case "mint":
		o.receipt, err = server.Mint(ctx, o.op)
	case "use":
		o.receipt, err = server.Use(ctx, o.op)
	case "refund":
		o.receipt, err = server.Refund(ctx, o.op)
	case "settle":
		o.receipt, err = server.SettleHold(ctx, o.holdOp())
	case "batch":
		var receipt testserver.BatchReceipt
		receipt, err = server.UseBatch(ctx, o.op.UserID, o.op.IdempotencyKey, o.uses)
		o.results, o.receipt.Replayed = receipt.Results, receipt.Replayed
	default:
		call := map[string]func(context.Context, testserver.HoldOp) (testserver.HoldReceipt, error){
			"hold": server.OpenHold, "extend": server.ExtendHold, "release": server.ReleaseHold,
		}[o.kind]
		o.opened, err = call(ctx, o.holdOp())
		o.receipt.Replayed = o.opened.Replayed
	}
	return err
}

func (o *operation) holdOp() testserver.HoldOp {
	op := o.hold
	op.UserID, op.Amount, op.IdempotencyKey = o.op.UserID, o.op.Amount, o.op.IdempotencyKey
	switch o.kind {
	case "hold":
		op.Reference = o.op.Description
	case "settle":
		op.Description = o.op.Description
	}
	return op
}

// repeatable tells whether the server can recognise a second sending.
func (o *operation) repeatable() bool {
	return o.op.IdempotencyKey != "" || o.op.ExternalEventID != ""
}

// posting is one entry that an operation makes, and how often it may be there.
type posting struct {
	description, eventType, key, event string
	amount                             int64 // signed
	least, most                        int
	shown                              *testserver.Receipt // nil when the client saw none
}

// postings are all entries of the operation; most kinds of operations on holds
// have none.
func (o *operation) postings() []posting {
	least, most := o.fate.bounds()
	whole := posting{description: o.op.Description, key: o.op.IdempotencyKey, amount: -o.op.Amount, least: least, most: most}
	if o.fate == acknowledged {
		whole.shown = &o.receipt
	}
	switch o.kind {
	case "mint":
		whole.eventType, whole.event, whole.amount = "mint", o.op.ExternalEventID, o.op.Amount
	case "refund": // always of a mint
		whole.eventType = "refund"
	case "use", "settle":
		whole.eventType = "use"
	case "batch":
		return o.batchPostings(least, most)
	default:
		return nil
	}
	return []posting{whole}
}

func (o *operation) batchPostings(least, most int) []posting {
	var all []posting
	for i, use := range o.uses {
		p := posting{
			description: use.Description, eventType: "use", key: use.IdempotencyKey, amount: -use.Amount, least: least, most: most,
		}
		if o.fate == acknowledged {
			result := o.results[i]
			if result.Success {
				p.shown = &testserver.Receipt{Entry: result.Entry, Balance: result.Balance}
			} else {
				p.least, p.most = 0, 0 // refused by itself, beside others that were not
			}
		}
		all = append(all, p)
	}
	return all
}

// bounds are how often an operation may have happened.
func (f fate) bounds() (least, most int) {
	switch f {
	case acknowledged:
		return 1, 1
	case refused:
		return 0, 0
	}
	return 0, 1
}

func (f fate) String() string {
	return map[fate]string{unknown: "unknown", acknowledged: "acknowledged", refused: "refused"}[f]
}

const (
	maxOperationTokens = 50
	maxClientBatchUses = 5
	// shortHoldSeconds is the shortest life that a hold can have.
	shortHoldSeconds = 1
	longHoldSeconds  = 300
	// grantLifetime bounds how soon minted tokens expire: while the load runs,
	// while the server is down, or after the restart.
	minGrantLifetime, maxGrantLifetime = 200 * time.Millisecond, 3 * time.Second
)

// loadClient sends operations of all kinds until its connection breaks.
type loadClient struct {
	name   string // of round and client
	userID string
	random *rand.Rand
	sent   []*operation
	holds  []*operation // its own that may still be open
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
		if o := c.step(ctx, server); o.fate == unknown {
			return
		}
	}
}

// step chooses one operation, sends it and remembers it.
func (c *loadClient) step(ctx context.Context, server *testserver.Server) *operation {
	o := c.next()
	c.sent = append(c.sent, o)
	o.send(ctx, server)
	if o.kind == "hold" && o.fate == acknowledged {
		c.holds = append(c.holds, o)
	}
	return o
}

// next chooses an operation: a quarter are single uses, every other with a key.
func (c *loadClient) next() *operation {
	name := fmt.Sprintf("%s-%d", c.name, len(c.sent))
	o := &operation{op: testserver.Op{
		UserID: c.userID, Amount: 1 + c.random.Int64N(maxOperationTokens),
		Description: "operation " + name, IdempotencyKey: "key-" + name,
	}}
	switch pick := c.random.IntN(16); {
	case pick < 2:
		o.kind = "use"
	case pick < 4:
		o.kind, o.op.IdempotencyKey = "use", ""
	case pick < 6 && c.refund(o), pick < 10 && c.onHold(o):
	case pick < 12:
		o.kind, o.hold.ExpiresInSeconds = "hold", c.holdSeconds()
	case pick < 13:
		o.kind, o.uses = "batch", c.batchUses(name)
	case pick < 15:
		o.kind, o.op.ExternalEventID, o.op.IdempotencyKey = "mint", "evt-"+name, ""
	default:
		o.kind = "mint"
		lifetime := minGrantLifetime + time.Duration(c.random.Int64N(int64(maxGrantLifetime-minGrantLifetime)))
		o.op.ExpiresAt = time.Now().Add(lifetime).UTC().Format(time.RFC3339Nano)
	}
	return o
}

func (c *loadClient) holdSeconds() int64 {
	if c.random.IntN(2) == 0 {
		return shortHoldSeconds
	}
	return longHoldSeconds
}

func (c *loadClient) batchUses(name string) []testserver.BatchUse {
	uses := make([]testserver.BatchUse, 1+c.random.IntN(maxClientBatchUses))
	for i := range uses {
		uses[i] = testserver.BatchUse{
			Amount:      1 + c.random.Int64N(maxOperationTokens),
			Description: fmt.Sprintf("operation %s.%d", name, i), IdempotencyKey: fmt.Sprintf("key-%s.%d", name, i),
		}
	}
	return uses
}

// refund makes o a refund of one of the client's own acknowledged mints, if the
// one it draws is such. It may have been refunded before: then the server has to
// refuse what is too much.
func (c *loadClient) refund(o *operation) bool {
	if len(c.sent) == 0 {
		return false
	}
	target := c.sent[c.random.IntN(len(c.sent))]
	if target.kind != "mint" || target.fate != acknowledged {
		return false
	}
	o.kind, o.op.LedgerID = "refund", target.receipt.Entry.ID
	o.op.Amount = 1 + c.random.Int64N(target.op.Amount)
	return true
}

// onHold makes o an operation on one of the client's holds, which may have
// expired meanwhile. Half of the holds are left to expire.
func (c *loadClient) onHold(o *operation) bool {
	if len(c.holds) == 0 {
		return false
	}
	i := c.random.IntN(len(c.holds))
	o.hold.HoldID = c.holds[i].opened.Hold.ID
	switch c.random.IntN(8) {
	case 0, 1:
		o.kind = "settle"
	case 2:
		o.kind, o.op.Amount = "release", 0
	case 3:
		o.kind = "extend"
		o.hold.ExpiresInSeconds = c.holdSeconds()
		return true // it stays open
	default:
		o.hold.HoldID = ""
		c.holds = slices.Delete(c.holds, i, i+1)
		return false
	}
	c.holds = slices.Delete(c.holds, i, i+1)
	return true
}

// runClients runs all clients until each has lost its connection or the context
// ends, and returns what they sent.
func runClients(ctx context.Context, server *testserver.Server, clients []*loadClient) []*operation {
	var group sync.WaitGroup
	for _, client := range clients {
		group.Go(func() { client.run(ctx, server) })
	}
	group.Wait()
	return sentBy(clients)
}

func sentBy(clients []*loadClient) []*operation {
	var sent []*operation
	for _, client := range clients {
		sent = append(sent, client.sent...)
	}
	return sent
}
