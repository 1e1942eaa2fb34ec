package ledger_test

import (
	"testing"
	"time"

	"sokuji/internal/ledger"
)

// as asks in somebody's name.
func as(authority ledger.Authority, with ledger.Request) ledger.Request {
	with.Authority = authority
	return with
}

// The gateway's hold is what a call is paid from: its own wallet's client must not
// take it away.
func TestTheGatewaysHoldsAreItsOwn(t *testing.T) {
	for name, op := range map[string]func(ledger.Request) ledger.Operation{
		"extend":  func(r ledger.Request) ledger.Operation { return ledger.Extend{Request: r, HoldID: "hold1", Amount: 1} },
		"settle":  func(r ledger.Request) ledger.Operation { return ledger.Settle{Request: r, HoldID: "hold1"} },
		"release": func(r ledger.Request) ledger.Operation { return ledger.Release{Request: r, HoldID: "hold1"} },
	} {
		t.Run(name, func(t *testing.T) {
			for authority, want := range map[ledger.Authority]ledger.Code{
				ledger.AsClient: ledger.CodeForbidden, ledger.AsGateway: "", ledger.AsSuperuser: "",
			} {
				f := facts()
				f.Hold = holdAt(ledger.HoldOpen, time.Minute)
				f.Hold.Reference = ledger.GatewayReference + "req_1"
				_, err := ledger.Apply(wallet(30, 10), op(as(authority, request)), f)
				if ledger.CodeOf(err) != want || (want == "" && err != nil) {
					t.Errorf("as %d: got %v, want %q", authority, err, want)
				}
			}
		})
	}
}

func TestOnlyTheGatewayMakesItsHolds(t *testing.T) {
	for authority, want := range map[ledger.Authority]ledger.Code{
		ledger.AsClient: ledger.CodeInvalidRequest, ledger.AsGateway: "", ledger.AsSuperuser: ledger.CodeInvalidRequest,
	} {
		_, err := ledger.Apply(wallet(30, 0), ledger.Hold{
			Request: as(authority, request), Amount: 1, Duration: time.Minute, Reference: ledger.GatewayReference + "req_1",
		}, facts())
		if ledger.CodeOf(err) != want || (want != "" && field(err) != "reference") {
			t.Errorf("as %d: got %v, want %q", authority, err, want)
		}
	}
}

// A key that a client took first would make the gateway's settlement under it
// another request, and the call free.
func TestTheGatewaysSettlementsHaveKeysOfTheirOwn(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 100)
	const key = ledger.GatewayReference + "chat/completions:abc"
	ofClient, ofGateway := b.hold(t, 10, time.Minute), b.must(t, ledger.Hold{
		Request: as(ledger.AsGateway, by("")), Amount: 20, Duration: time.Minute,
		Reference: ledger.GatewayReference + "req_1",
	}).Hold.ID
	for _, authority := range []ledger.Authority{ledger.AsClient, ledger.AsSuperuser} {
		_, err := b.Do(t.Context(), ledger.Settle{Request: as(authority, by(key)), HoldID: ofClient, Amount: 1})
		if ledger.CodeOf(err) != ledger.CodeInvalidRequest || field(err) != "Idempotency-Key" {
			t.Errorf("as %d: got %v", authority, err)
		}
	}
	// Every other route has a space of its own for its keys.
	b.must(t, ledger.Mint{Request: by(key), Amount: 1})
	b.must(t, ledger.Use{Request: by(key), Amount: 1})
	b.must(t, ledger.Release{Request: by(key), HoldID: ofClient})
	settle := ledger.Settle{Request: as(ledger.AsGateway, by(key)), HoldID: ofGateway, Amount: 15}
	if b.must(t, settle).Replayed || !b.must(t, settle).Replayed {
		t.Error("the gateway's key is not its own")
	}
	b.wants(t, 85, 0, 0)
}
