package hooks

import (
	"sync"
	"sync/atomic"
	"testing"
)

// 500 calls at once on a wallet that can pay for 100: never more are answered than
// it pays for, and the books balance.
func TestParallelCallsDoNotOverdraw(t *testing.T) {
	const calls, paid = 500, 100
	g := newGatewayHouse(t, completion)
	g.do("POST", "/api/wallet/adjust", g.asRoot(), object("userId", g.alice.Id, "amount", paid*ordinaryCharge-1_000_000, "description", "a test")).want(200)
	g.execute("UPDATE entitlements SET rate_limit_rpm = 1000000")
	g.server.entitlements.Clear()
	var answered, refused atomic.Int64
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			switch got := g.post("/v1/chat/completions", chat("max_tokens", completionTokens)); got.outcome() {
			case "200":
				answered.Add(1)
			case "429 insufficient_quota":
				refused.Add(1)
			default:
				t.Errorf("%s: %s", got.outcome(), got.body)
			}
		})
	}
	all.Wait()
	s := g.settlement()
	if answered.Load() > paid || answered.Load() == 0 || answered.Load()+refused.Load() != calls {
		t.Errorf("%d calls were answered and %d refused", answered.Load(), refused.Load())
	}
	if s.balance < 0 || s.held != 0 || s.balance != paid*ordinaryCharge-answered.Load()*ordinaryCharge {
		t.Errorf("after %d answers the books say %+v", answered.Load(), s)
	}
	if uses := g.count("usage_logs", "subject_id = {:id}", "id", g.alice.Id); int64(uses) != answered.Load() || int64(g.up.count()) != answered.Load() {
		t.Errorf("%d uses and %d calls of the provider for %d answers", uses, g.up.count(), answered.Load())
	}
	if open := g.count("wallet_holds", "state = 'open'"); open != 0 {
		t.Errorf("%d holds are open", open)
	}
}

// The references of the gateway's holds are its own: at boot they are released.
func TestAHoldDoesNotLookLikeTheGateways(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	h.do("POST", "/api/wallet/holds", h.asRoot(), object("userId", h.alice.Id, "amount", 1, "reference", "gateway:req_1")).
		wantOutcome("400 invalid_request").names("reference")
	h.do("POST", "/api/wallet/holds", h.asRoot(), object("userId", h.alice.Id, "amount", 1, "reference", "my gateway:1")).want(201)
}
