package ledger_test

import (
	"testing"
	"time"

	"sokuji/internal/ledger"
)

// The gateway's hold is what a call is paid from: its own wallet's client must not
// take it away.
func TestTheGatewaysHoldsAreItsOwn(t *testing.T) {
	as := func(a ledger.Authority) ledger.Request {
		with := request
		with.Authority = a
		return with
	}
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
				_, err := ledger.Apply(wallet(30, 10), op(as(authority)), f)
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
		with := request
		with.Authority = authority
		_, err := ledger.Apply(wallet(30, 0), ledger.Hold{
			Request: with, Amount: 1, Duration: time.Minute, Reference: ledger.GatewayReference + "req_1",
		}, facts())
		if ledger.CodeOf(err) != want || (want != "" && field(err) != "reference") {
			t.Errorf("as %d: got %v, want %q", authority, err, want)
		}
	}
}
