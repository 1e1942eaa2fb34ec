package simulate

import (
	"fmt"
	"math/rand/v2"
	"time"

	"sokuji/internal/ledger"
)

const (
	wallets = 3
	clients = 4
	// mostTokens of one operation, small so that refusals are common.
	mostTokens = 60
	// mostBatchUses of one simulated batch.
	mostBatchUses = 6
	longestGrant  = 20 * 24 * time.Hour
)

func subjects() []ledger.Subject {
	all := make([]ledger.Subject, 0, wallets)
	for i := range wallets {
		all = append(all, ledger.UserSubject(fmt.Sprintf("wallet%09d", i)))
	}
	return all
}

// inventor makes new requests out of what the clients have been told so far.
type inventor struct {
	random  *rand.Rand
	clock   *clock
	all     []*request
	entries map[ledger.Subject][]string // ids from answers, in order
	holds   map[ledger.Subject][]string
	names   int
}

func newInventor(random *rand.Rand, clock *clock) *inventor {
	return &inventor{
		random: random, clock: clock,
		entries: make(map[ledger.Subject][]string), holds: make(map[ledger.Subject][]string),
	}
}

// learn keeps the ids of an answer for later requests.
func (v *inventor) learn(subject ledger.Subject, receipt ledger.Receipt) {
	if receipt.Entry != nil {
		v.entries[subject] = append(v.entries[subject], receipt.Entry.ID)
	}
	if receipt.Hold != nil && receipt.Hold.State == ledger.HoldOpen {
		v.holds[subject] = append(v.holds[subject], receipt.Hold.ID)
	}
}

func (v *inventor) amount() int64 { return 1 + v.random.Int64N(mostTokens) }

// known picks one of the newest ids, so that they are often still open.
func (v *inventor) known(ids []string) string {
	const newest = 6
	if len(ids) == 0 || v.random.IntN(40) == 0 {
		return "nothing"
	}
	return ids[len(ids)-1-v.random.IntN(min(newest, len(ids)))]
}

func (v *inventor) named() *request {
	v.names++
	r := &request{name: fmt.Sprintf("r%d", v.names), client: v.random.IntN(clients)}
	if v.random.IntN(5) > 0 {
		r.key = "key " + r.name
	}
	v.all = append(v.all, r)
	return r
}

func (v *inventor) request() *request {
	subject := subjects()[v.random.IntN(wallets)]
	if v.random.IntN(8) == 0 {
		return v.batch(subject)
	}
	r := v.named()
	with := ledger.Request{Subject: subject, IdempotencyKey: r.key, Actor: "client", Authority: v.authority(), Spender: v.spender()}
	r.op = v.operation(r, with)
	return r
}

func (v *inventor) operation(r *request, with ledger.Request) ledger.Operation {
	switch dice := v.random.IntN(100); {
	case dice < 22:
		return v.mint(r, with)
	case dice < 42:
		return v.use(r, with)
	case dice < 60:
		return ledger.Hold{Request: with, Amount: v.amount(), Duration: v.duration(), Reference: v.reference(r, with)}
	case dice < 68:
		extend := ledger.Extend{Request: with, HoldID: v.known(v.holds[with.Subject]), Duration: v.duration()}
		if v.random.IntN(3) > 0 {
			extend.Amount = v.amount()
		}
		return extend
	case dice < 78:
		return ledger.Settle{Request: with, HoldID: v.known(v.holds[with.Subject]), Amount: v.random.Int64N(mostTokens), Description: r.name}
	case dice < 83:
		return ledger.Release{Request: with, HoldID: v.known(v.holds[with.Subject])}
	case dice < 93:
		return ledger.Refund{Request: with, EntryID: v.known(v.entries[with.Subject]), Amount: v.amount() * v.random.Int64N(2), Description: r.name}
	case dice < 96:
		return ledger.Adjust{Request: with, Amount: v.amount() * (v.random.Int64N(2)*2 - 1), Description: r.name}
	case dice < 97:
		return ledger.Freeze{Request: with, Reason: r.name}
	default:
		return ledger.Unfreeze{Request: with, Reason: r.name}
	}
}

func (v *inventor) mint(r *request, with ledger.Request) ledger.Mint {
	mint := ledger.Mint{Request: with, Amount: 3 * v.amount(), Description: r.name}
	if v.random.IntN(3) == 0 {
		r.event = "event " + r.name
		mint.ExternalEventID = r.event
	}
	if v.random.IntN(2) == 0 {
		// Half of them are over soon, which is where the corners are.
		life := longestGrant
		if v.random.IntN(2) == 0 {
			life = 10 * time.Minute
		}
		mint.ExpiresAt = v.clock.now.Add(time.Duration(1+v.random.Int64N(int64(life/time.Millisecond))) * time.Millisecond).Truncate(time.Millisecond)
	}
	return mint
}

func (v *inventor) use(r *request, with ledger.Request) ledger.Use {
	return ledger.Use{
		Request: with, Amount: v.amount(), AllowNegative: v.random.IntN(6) == 0, Description: r.name,
		Usage: ledger.Usage{Model: "m", InputTokens: v.random.Int64N(9), OutputTokens: v.random.Int64N(9)},
	}
}

// spender is nobody, or one of two keys with bounds that are soon reached.
func (v *inventor) spender() ledger.Spender {
	if v.random.IntN(2) == 0 {
		return ledger.Spender{}
	}
	return ledger.Spender{
		KeyID: fmt.Sprintf("key%d", v.random.IntN(2)), LimitTokens: 40 * mostTokens * v.random.Int64N(2),
		DailyBudgetTokens: 4 * mostTokens, MonthlyBudgetTokens: 20 * mostTokens,
	}
}

// authority is mostly a client's, who may least.
func (v *inventor) authority() ledger.Authority {
	return []ledger.Authority{ledger.AsClient, ledger.AsClient, ledger.AsGateway, ledger.AsSuperuser}[v.random.IntN(4)]
}

// reference marks half of the gateway's holds as those of calls.
func (v *inventor) reference(r *request, with ledger.Request) string {
	if with.Authority == ledger.AsGateway && v.random.IntN(2) == 0 {
		return ledger.GatewayReference + r.name
	}
	return r.name
}

func (v *inventor) duration() time.Duration {
	if v.random.IntN(2) == 0 {
		return time.Duration(1+v.random.IntN(30)) * time.Second
	}
	return time.Duration(1+v.random.IntN(24*60)) * time.Minute
}

// batch makes uses of its own, and sometimes takes up a single use of the same
// wallet that was sent before: a client that falls back to a batch must not be
// charged twice.
func (v *inventor) batch(subject ledger.Subject) *request {
	r := v.named()
	r.batch = &ledger.UseBatch{Request: ledger.Request{Subject: subject, IdempotencyKey: r.key, Actor: "client"}}
	for range 1 + v.random.IntN(mostBatchUses) {
		item := v.earlierUse(subject)
		if item == nil {
			item = v.named()
			item.client = r.client
			item.op = v.use(item, ledger.Request{Subject: subject, IdempotencyKey: item.key, Actor: "client"})
		}
		r.items = append(r.items, item)
		r.batch.Uses = append(r.batch.Uses, item.op.(ledger.Use))
	}
	return r
}

func (v *inventor) earlierUse(subject ledger.Subject) *request {
	if v.random.IntN(4) > 0 || len(v.all) == 0 {
		return nil
	}
	earlier := v.all[v.random.IntN(len(v.all))]
	use, isUse := earlier.op.(ledger.Use)
	if !isUse || use.Subject != subject || use.IdempotencyKey == "" {
		return nil
	}
	return earlier
}

// altered is the same key with another amount, which must never pass for a
// repetition.
func altered(op ledger.Operation) (ledger.Operation, bool) {
	switch op := op.(type) {
	case ledger.Mint:
		op.Amount++
		return op, true
	case ledger.Use:
		op.Amount++
		return op, true
	case ledger.Hold:
		op.Amount++
		return op, true
	case ledger.Settle:
		op.Amount++
		return op, true
	}
	return op, false
}
