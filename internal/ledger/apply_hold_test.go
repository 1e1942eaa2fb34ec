package ledger_test

import (
	"strings"
	"testing"
	"time"

	"sokuji/internal/ledger"
)

// holdAt is a hold of 10 that began an hour before noon.
func holdAt(state ledger.HoldState, deadline time.Duration) *ledger.HoldRow {
	hold := &ledger.HoldRow{
		ID: "hold1", Subject: alice, Amount: 10, State: state, Reference: "call",
		CreatedAt: noon.Add(-time.Hour), ExpiresAt: noon.Add(deadline),
	}
	if state != ledger.HoldOpen {
		hold.ClosedAt = noon.Add(-time.Minute)
	}
	return hold
}

func foreignHold() *ledger.HoldRow {
	hold := holdAt(ledger.HoldOpen, time.Minute)
	hold.Subject = bob
	return hold
}

func frozenWith(balance, held int64) ledger.Wallet {
	w := frozenWallet(balance, "fraud")
	w.Held = held
	return w
}

func TestApplyToHolds(t *testing.T) {
	const maxAmount = ledger.MaxAmountTokens
	open, late := holdAt(ledger.HoldOpen, time.Minute), holdAt(ledger.HoldOpen, 0)
	full := holdAt(ledger.HoldOpen, time.Minute)
	full.Amount = maxAmount
	hold := func(amount int64, duration time.Duration) ledger.Hold {
		return ledger.Hold{Request: request, Amount: amount, Duration: duration, Reference: "call"}
	}
	extend := func(amount int64, duration time.Duration) ledger.Extend {
		return ledger.Extend{Request: request, HoldID: "hold1", Amount: amount, Duration: duration}
	}
	settle := func(amount int64) ledger.Settle {
		return ledger.Settle{Request: request, HoldID: "hold1", Amount: amount}
	}
	charge := func(by ledger.Authority, amount int64) ledger.Settle {
		return ledger.Settle{Request: as(by, request), HoldID: "hold1", Amount: amount}
	}
	release := ledger.Release{Request: request, HoldID: "hold1"}

	tests := []struct {
		name   string
		wallet ledger.Wallet
		op     ledger.Operation
		hold   *ledger.HoldRow // that the operation names
		code   ledger.Code     // of the refusal, empty: it is allowed
		field  string

		balance, held int64 // after it
		state         ledger.HoldState
		amount        int64         // of the hold
		deadline      time.Duration // after noon
	}{
		{name: "hold reserves", wallet: wallet(30, 5), op: hold(10, time.Minute), balance: 30, held: 15, state: ledger.HoldOpen, amount: 10, deadline: time.Minute},
		{name: "hold of all that is available", wallet: wallet(30, 5), op: hold(25, time.Second), balance: 30, held: 30, state: ledger.HoldOpen, amount: 25, deadline: time.Second},
		{name: "hold of more than is available", wallet: wallet(30, 5), op: hold(26, time.Minute), code: ledger.CodeInsufficientBalance},
		{name: "hold in a frozen wallet", wallet: frozenWith(30, 0), op: hold(1, time.Minute), code: ledger.CodeWalletFrozen},
		{name: "hold for the longest", wallet: wallet(30, 0), op: hold(1, 24*time.Hour), balance: 30, held: 1, state: ledger.HoldOpen, amount: 1, deadline: 24 * time.Hour},
		{name: "hold for too long", wallet: wallet(30, 0), op: hold(1, 24*time.Hour+time.Second), code: ledger.CodeInvalidRequest, field: "expiresInSeconds"},
		{name: "hold for less than a second", wallet: wallet(30, 0), op: hold(1, time.Second-1), code: ledger.CodeInvalidRequest, field: "expiresInSeconds"},
		{name: "hold without a duration", wallet: wallet(30, 0), op: hold(1, 0), code: ledger.CodeInvalidRequest, field: "expiresInSeconds"},
		{name: "hold of nothing", wallet: wallet(30, 0), op: hold(0, time.Minute), code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "hold of less than nothing", wallet: wallet(30, 0), op: hold(-1, time.Minute), code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "hold of the most", wallet: wallet(maxAmount, 0), op: hold(maxAmount, time.Minute), balance: maxAmount, held: maxAmount, state: ledger.HoldOpen, amount: maxAmount, deadline: time.Minute},
		{name: "hold above the most", wallet: wallet(2*maxAmount, 0), op: hold(maxAmount+1, time.Minute), code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "hold with a long reference", wallet: wallet(30, 0), op: ledger.Hold{Request: request, Amount: 1, Duration: time.Minute, Reference: strings.Repeat("x", 256)}, code: ledger.CodeInvalidRequest, field: "reference"},

		{name: "extend by tokens", wallet: wallet(30, 10), op: extend(20, 0), hold: open, balance: 30, held: 30, state: ledger.HoldOpen, amount: 30, deadline: time.Minute},
		{name: "extend by more than is available", wallet: wallet(30, 10), op: extend(21, 0), hold: open, code: ledger.CodeInsufficientBalance},
		{name: "extend by time", wallet: wallet(10, 10), op: extend(0, time.Hour), hold: open, balance: 10, held: 10, state: ledger.HoldOpen, amount: 10, deadline: time.Hour},
		{name: "extend never moves the deadline back", wallet: wallet(30, 10), op: extend(1, time.Second), hold: open, balance: 30, held: 11, state: ledger.HoldOpen, amount: 11, deadline: time.Minute},
		{name: "extend by time an overdrawn wallet", wallet: wallet(5, 10), op: extend(0, time.Hour), hold: open, code: ledger.CodeInsufficientBalance},
		{name: "extend by nothing", wallet: wallet(30, 10), op: extend(0, 0), hold: open, code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "extend by less than nothing", wallet: wallet(30, 10), op: extend(-1, 0), hold: open, code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "extend for too long", wallet: wallet(30, 10), op: extend(1, 25*time.Hour), hold: open, code: ledger.CodeInvalidRequest, field: "expiresInSeconds"},
		{name: "extend past the most", wallet: wallet(3*maxAmount, maxAmount), op: extend(1, 0), hold: full, code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "extend at the deadline", wallet: wallet(30, 10), op: extend(1, 0), hold: late, code: ledger.CodeHoldNotOpen, field: "id"},
		{name: "extend a millisecond before it", wallet: wallet(30, 10), op: extend(1, 0), hold: holdAt(ledger.HoldOpen, time.Millisecond), balance: 30, held: 11, state: ledger.HoldOpen, amount: 11, deadline: time.Millisecond},
		{name: "extend in a frozen wallet", wallet: frozenWith(30, 10), op: extend(1, 0), hold: open, code: ledger.CodeWalletFrozen},
		{name: "extend a settled hold", wallet: wallet(30, 0), op: extend(1, 0), hold: holdAt(ledger.HoldSettled, time.Minute), code: ledger.CodeHoldNotOpen, field: "id"},
		{name: "extend a released hold", wallet: wallet(30, 0), op: extend(1, 0), hold: holdAt(ledger.HoldReleased, time.Minute), code: ledger.CodeHoldNotOpen, field: "id"},
		{name: "extend an expired hold", wallet: wallet(30, 0), op: extend(1, 0), hold: holdAt(ledger.HoldExpired, 0), code: ledger.CodeHoldNotOpen, field: "id"},
		{name: "extend an unknown hold", wallet: wallet(30, 0), op: extend(1, 0), code: ledger.CodeHoldNotFound, field: "id"},
		{name: "extend another's hold", wallet: wallet(30, 0), op: extend(1, 0), hold: foreignHold(), code: ledger.CodeHoldNotFound, field: "id"},

		{name: "settle with less", wallet: wallet(30, 10), op: settle(7), hold: open, balance: 23, held: 0, state: ledger.HoldSettled, amount: 10, deadline: time.Minute},
		{name: "settle with nothing", wallet: wallet(30, 10), op: settle(0), hold: open, balance: 30, held: 0, state: ledger.HoldSettled, amount: 10, deadline: time.Minute},
		{name: "settle beyond the hold", wallet: wallet(30, 15), op: settle(25), hold: open, balance: 5, held: 5, state: ledger.HoldSettled, amount: 10, deadline: time.Minute},
		{name: "settle beyond what is available", wallet: wallet(30, 15), op: settle(26), hold: open, code: ledger.CodeInsufficientBalance},
		{name: "settle beyond what is available as the gateway", wallet: wallet(30, 15), op: charge(ledger.AsGateway, 40), hold: open, balance: -10, held: 5, state: ledger.HoldSettled, amount: 10, deadline: time.Minute},
		{name: "settle beyond what is available as a superuser", wallet: wallet(30, 15), op: charge(ledger.AsSuperuser, 40), hold: open, balance: -10, held: 5, state: ledger.HoldSettled, amount: 10, deadline: time.Minute},
		{name: "settle within the hold of an overdrawn wallet", wallet: wallet(-5, 10), op: settle(10), hold: open, balance: -15, held: 0, state: ledger.HoldSettled, amount: 10, deadline: time.Minute},
		{name: "settle beyond the hold in a frozen wallet", wallet: frozenWith(30, 10), op: settle(30), hold: open, balance: 0, held: 0, state: ledger.HoldSettled, amount: 10, deadline: time.Minute},
		{name: "settle beyond what a frozen wallet has", wallet: frozenWith(30, 10), op: settle(31), hold: open, code: ledger.CodeInsufficientBalance},
		{name: "settle with everything after the deadline", wallet: wallet(30, 15), op: settle(25), hold: late, balance: 5, held: 5, state: ledger.HoldSettled, amount: 10},
		{name: "settle with more after the deadline", wallet: wallet(30, 15), op: settle(26), hold: late, code: ledger.CodeInsufficientBalance},
		{name: "settle with what is gone after the deadline", wallet: wallet(5, 10), op: settle(6), hold: late, code: ledger.CodeInsufficientBalance},
		{name: "settle an expired hold with everything", wallet: wallet(30, 3), op: settle(27), hold: holdAt(ledger.HoldExpired, -time.Minute), balance: 3, held: 3, state: ledger.HoldSettled, amount: 10, deadline: -time.Minute},
		{name: "settle an expired hold with more", wallet: wallet(30, 3), op: settle(28), hold: holdAt(ledger.HoldExpired, -time.Minute), code: ledger.CodeInsufficientBalance},
		{name: "settle an expired hold with more as the gateway", wallet: wallet(5, 3), op: charge(ledger.AsGateway, 10), hold: holdAt(ledger.HoldExpired, -time.Minute), balance: -5, held: 3, state: ledger.HoldSettled, amount: 10, deadline: -time.Minute},
		{name: "settle in a frozen wallet", wallet: frozenWith(30, 10), op: settle(7), hold: open, balance: 23, held: 0, state: ledger.HoldSettled, amount: 10, deadline: time.Minute},
		{name: "settle after the deadline", wallet: wallet(30, 10), op: settle(7), hold: late, balance: 23, held: 0, state: ledger.HoldSettled, amount: 10},
		{name: "settle an expired hold", wallet: wallet(30, 3), op: settle(7), hold: holdAt(ledger.HoldExpired, -time.Minute), balance: 23, held: 3, state: ledger.HoldSettled, amount: 10, deadline: -time.Minute},
		{name: "settle a settled hold", wallet: wallet(30, 0), op: settle(7), hold: holdAt(ledger.HoldSettled, time.Minute), code: ledger.CodeHoldNotOpen, field: "id"},
		{name: "settle a released hold", wallet: wallet(30, 0), op: settle(7), hold: holdAt(ledger.HoldReleased, time.Minute), code: ledger.CodeHoldNotOpen, field: "id"},
		{name: "settle an unknown hold", wallet: wallet(30, 0), op: settle(7), code: ledger.CodeHoldNotFound, field: "id"},
		{name: "settle another's hold", wallet: wallet(30, 0), op: settle(7), hold: foreignHold(), code: ledger.CodeHoldNotFound, field: "id"},
		{name: "settle with less than nothing", wallet: wallet(30, 10), op: settle(-1), hold: open, code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "settle above the most", wallet: wallet(30, 10), op: settle(maxAmount + 1), hold: open, code: ledger.CodeInvalidRequest, field: "amount"},

		{name: "release", wallet: wallet(30, 15), op: release, hold: open, balance: 30, held: 5, state: ledger.HoldReleased, amount: 10, deadline: time.Minute},
		{name: "release in a frozen wallet", wallet: frozenWith(30, 10), op: release, hold: open, balance: 30, held: 0, state: ledger.HoldReleased, amount: 10, deadline: time.Minute},
		{name: "release at the deadline", wallet: wallet(30, 10), op: release, hold: late, code: ledger.CodeHoldNotOpen, field: "id"},
		{name: "release a settled hold", wallet: wallet(30, 0), op: release, hold: holdAt(ledger.HoldSettled, time.Minute), code: ledger.CodeHoldNotOpen, field: "id"},
		{name: "release an expired hold", wallet: wallet(30, 0), op: release, hold: holdAt(ledger.HoldExpired, 0), code: ledger.CodeHoldNotOpen, field: "id"},
		{name: "release an unknown hold", wallet: wallet(30, 0), op: release, code: ledger.CodeHoldNotFound, field: "id"},
		{name: "release another's hold", wallet: wallet(30, 0), op: release, hold: foreignHold(), code: ledger.CodeHoldNotFound, field: "id"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := facts()
			f.Hold = test.hold
			outcome, err := ledger.Apply(test.wallet, test.op, f)
			if test.code != "" {
				if ledger.CodeOf(err) != test.code || field(err) != test.field {
					t.Fatalf("got %v (field %q), want %s of field %q", err, field(err), test.code, test.field)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			after, hold := outcome.Wallet, outcome.Hold
			if after.Balance != test.balance || after.Held != test.held || after.FrozenReason != test.wallet.FrozenReason || !after.UpdatedAt.Equal(noon) {
				t.Fatalf("the wallet is %+v, want %d with %d held", after, test.balance, test.held)
			}
			if hold.State != test.state || hold.Amount != test.amount || !hold.ExpiresAt.Equal(noon.Add(test.deadline)) ||
				hold.Subject != alice || hold.Reference != "call" {
				t.Fatalf("the hold is %+v", hold)
			}
			if closed := hold.State != ledger.HoldOpen; closed != hold.ClosedAt.Equal(noon) {
				t.Fatalf("the hold is %s and closed at %s", hold.State, hold.ClosedAt)
			}
			checkSettlement(t, test.wallet, outcome)
		})
	}
}

// checkSettlement: of what happens to holds, only a settlement is an entry.
func checkSettlement(t *testing.T, before ledger.Wallet, outcome ledger.Outcome) {
	t.Helper()
	hold, entry := outcome.Hold, outcome.Entry
	if hold.State != ledger.HoldSettled {
		if entry != nil || outcome.Usage != nil || outcome.Wallet.Seq != before.Seq || hold.LedgerID != "" {
			t.Fatalf("nothing was settled and yet: %+v", outcome)
		}
		return
	}
	if entry.EventType != ledger.EventUse || entry.ReferenceType != ledger.ReferenceHold || entry.ReferenceID != "hold1" ||
		hold.LedgerID != entry.ID || outcome.Usage.LedgerID != entry.ID || outcome.Usage.ChargedTokens != -entry.Amount {
		t.Fatalf("the settlement is %+v, %+v, %+v", entry, outcome.Usage, hold)
	}
	if entry.BalanceAfter != outcome.Wallet.Balance || entry.Seq != 4 || entry.PrevHash != before.Head {
		t.Fatalf("the settlement does not continue the chain: %+v", entry)
	}
}

func TestANewHoldIsNamedAndDated(t *testing.T) {
	outcome, err := ledger.Apply(wallet(30, 0), ledger.Hold{Request: request, Amount: 1, Duration: time.Minute}, facts())
	if err != nil || outcome.Hold.ID != "entry4" || !outcome.Hold.CreatedAt.Equal(noon) {
		t.Fatalf("got %+v, %v", outcome.Hold, err)
	}
}
