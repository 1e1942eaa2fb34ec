package ledger_test

import (
	"strings"
	"testing"
	"time"

	"sokuji/internal/ledger"
)

var (
	alice = ledger.UserSubject("alice0000000001")
	bob   = ledger.UserSubject("bob000000000001")
	noon  = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

func wallet(balance, held int64) ledger.Wallet {
	return ledger.Wallet{Subject: alice, Balance: balance, Held: held, Seq: 3, Head: ledger.Hash{9}}
}

func frozenWallet(balance int64, reason string) ledger.Wallet {
	w := wallet(balance, 0)
	w.Frozen, w.FrozenReason = true, reason
	return w
}

func facts() ledger.Facts {
	return ledger.Facts{Now: noon, ID: "entry4"}
}

func refundFacts(eventType ledger.EventType, amount, refunded int64) ledger.Facts {
	f := facts()
	f.Original = &ledger.Entry{ID: "entry1", Subject: alice, EventType: eventType, Amount: amount, PlanID: "p"}
	f.RefundedTokens = refunded
	return f
}

var request = ledger.Request{Subject: alice, Actor: "superuser:root"}

func TestApply(t *testing.T) {
	const maxAmount, maxBalance = ledger.MaxAmountTokens, ledger.MaxBalanceTokens
	long := strings.Repeat("x", 1001)
	negative := ledger.FrozenNegativeBalance
	refund := func(amount int64) ledger.Refund {
		return ledger.Refund{Request: request, EntryID: "entry1", Amount: amount}
	}
	tests := []struct {
		name   string
		wallet ledger.Wallet
		op     ledger.Operation
		facts  ledger.Facts
		code   ledger.Code // of the refusal, empty: it is allowed
		field  string
		amount int64 // of the entry
		after  int64
		frozen string // the reason after it
	}{
		{name: "mint adds", wallet: wallet(10, 0), op: ledger.Mint{Request: request, Amount: 5}, amount: 5, after: 15},
		{name: "mint of the most", wallet: wallet(0, 0), op: ledger.Mint{Request: request, Amount: maxAmount}, amount: maxAmount, after: maxAmount},
		{name: "mint above the most", wallet: wallet(0, 0), op: ledger.Mint{Request: request, Amount: maxAmount + 1}, code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "mint of nothing", wallet: wallet(0, 0), op: ledger.Mint{Request: request}, code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "mint of less than nothing", wallet: wallet(0, 0), op: ledger.Mint{Request: request, Amount: -1}, code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "mint by plan may be of nothing", wallet: wallet(3, 0), op: ledger.Mint{Request: request, ByPlan: true, Plan: &ledger.PlanChange{PlanID: "p"}}, amount: 0, after: 3},
		{name: "mint by plan is never negative", wallet: wallet(3, 0), op: ledger.Mint{Request: request, Amount: -1, ByPlan: true, Plan: &ledger.PlanChange{}}, code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "mint into a full wallet", wallet: wallet(maxBalance, 0), op: ledger.Mint{Request: request, Amount: 1}, code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "mint up to the brim", wallet: wallet(maxBalance-1, 0), op: ledger.Mint{Request: request, Amount: 1}, amount: 1, after: maxBalance},
		{name: "mint into an admin's freeze keeps it", wallet: frozenWallet(0, "fraud"), op: ledger.Mint{Request: request, Amount: 5}, amount: 5, after: 5, frozen: "fraud"},
		{name: "mint lifts the freeze of a negative balance", wallet: frozenWallet(-5, negative), op: ledger.Mint{Request: request, Amount: 5}, amount: 5, after: 0},
		{name: "mint that is not enough does not", wallet: frozenWallet(-6, negative), op: ledger.Mint{Request: request, Amount: 5}, amount: 5, after: -1, frozen: negative},
		{name: "mint does not lift an imported freeze", wallet: frozenWallet(-5, "imported"), op: ledger.Mint{Request: request, Amount: 9}, amount: 9, after: 4, frozen: "imported"},
		{name: "mint with a long description", wallet: wallet(0, 0), op: ledger.Mint{Request: request, Amount: 1, Description: long}, code: ledger.CodeInvalidRequest, field: "description"},
		{name: "mint with broken metadata", wallet: wallet(0, 0), op: ledger.Mint{Request: request, Amount: 1, Metadata: []byte(`{`)}, code: ledger.CodeInvalidRequest, field: "metadata"},
		{name: "mint with text that is not UTF-8", wallet: wallet(0, 0), op: ledger.Mint{Request: request, Amount: 1, Description: "\xff"}, code: ledger.CodeInvalidRequest, field: "description"},

		{name: "use takes", wallet: wallet(10, 0), op: ledger.Use{Request: request, Amount: 4}, amount: -4, after: 6},
		{name: "use of everything", wallet: wallet(10, 0), op: ledger.Use{Request: request, Amount: 10}, amount: -10, after: 0},
		{name: "use of more than everything", wallet: wallet(10, 0), op: ledger.Use{Request: request, Amount: 11}, code: ledger.CodeInsufficientBalance},
		{name: "use of what is held", wallet: wallet(10, 7), op: ledger.Use{Request: request, Amount: 4}, code: ledger.CodeInsufficientBalance},
		{name: "use of what is not held", wallet: wallet(10, 7), op: ledger.Use{Request: request, Amount: 3}, amount: -3, after: 7},
		{name: "use below zero when allowed does not freeze", wallet: wallet(10, 0), op: ledger.Use{Request: request, Amount: 11, AllowNegative: true}, amount: -11, after: -1},
		{name: "use below the least", wallet: wallet(-maxBalance, 0), op: ledger.Use{Request: request, Amount: 1, AllowNegative: true}, code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "use while frozen", wallet: frozenWallet(10, "fraud"), op: ledger.Use{Request: request, Amount: 1}, code: ledger.CodeWalletFrozen},
		{name: "use while frozen, allowed below zero", wallet: frozenWallet(10, "fraud"), op: ledger.Use{Request: request, Amount: 1, AllowNegative: true}, code: ledger.CodeWalletFrozen},
		{name: "use of nothing", wallet: wallet(10, 0), op: ledger.Use{Request: request}, code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "use with a negative count", wallet: wallet(10, 0), op: ledger.Use{Request: request, Amount: 1, Usage: ledger.Usage{InputTokens: -1}}, code: ledger.CodeInvalidRequest, field: "inputTokens"},
		{name: "use with a long model", wallet: wallet(10, 0), op: ledger.Use{Request: request, Amount: 1, Usage: ledger.Usage{Model: long}}, code: ledger.CodeInvalidRequest, field: "model"},

		{name: "refund of a use gives back", wallet: wallet(0, 0), op: refund(4), facts: refundFacts(ledger.EventUse, -10, 0), amount: 4, after: 4},
		{name: "refund of all that is left", wallet: wallet(0, 0), op: refund(0), facts: refundFacts(ledger.EventUse, -10, 3), amount: 7, after: 7},
		{name: "refund of more than is left", wallet: wallet(0, 0), op: refund(8), facts: refundFacts(ledger.EventUse, -10, 3), code: ledger.CodeOverRefund, field: "amount"},
		{name: "refund when nothing is left", wallet: wallet(0, 0), op: refund(0), facts: refundFacts(ledger.EventUse, -10, 10), code: ledger.CodeOverRefund, field: "ledgerId"},
		{name: "refund when more than everything is gone", wallet: wallet(0, 0), op: refund(0), facts: refundFacts(ledger.EventMint, 10, 13), code: ledger.CodeOverRefund, field: "ledgerId"},
		{name: "refund of a part when more than everything is gone", wallet: wallet(0, 0), op: refund(1), facts: refundFacts(ledger.EventMint, 10, 13), code: ledger.CodeOverRefund, field: "ledgerId"},
		{name: "refund of a mint takes back", wallet: wallet(10, 0), op: refund(4), facts: refundFacts(ledger.EventMint, 10, 0), amount: -4, after: 6},
		{name: "refund of a mint below zero freezes", wallet: wallet(3, 0), op: refund(0), facts: refundFacts(ledger.EventMint, 10, 0), amount: -10, after: -7, frozen: negative},
		{name: "refund of a mint to zero does not", wallet: wallet(10, 0), op: refund(0), facts: refundFacts(ledger.EventMint, 10, 0), amount: -10, after: 0},
		{name: "refund below zero keeps an admin's freeze", wallet: frozenWallet(3, "fraud"), op: refund(0), facts: refundFacts(ledger.EventMint, 10, 0), amount: -10, after: -7, frozen: "fraud"},
		{name: "refund of a use lifts the freeze of a negative balance", wallet: frozenWallet(-4, negative), op: refund(4), facts: refundFacts(ledger.EventUse, -10, 0), amount: 4, after: 0},
		{name: "refund of a refund", wallet: wallet(9, 0), op: refund(1), facts: refundFacts(ledger.EventRefund, 10, 0), code: ledger.CodeInvalidRequest, field: "ledgerId"},
		{name: "refund of an adjustment", wallet: wallet(9, 0), op: refund(1), facts: refundFacts(ledger.EventAdjust, 10, 0), code: ledger.CodeInvalidRequest, field: "ledgerId"},
		{name: "refund of nothing known", wallet: wallet(9, 0), op: refund(1), code: ledger.CodeInvalidRequest, field: "ledgerId"},
		{name: "refund of another wallet's entry", wallet: ledger.Wallet{Subject: bob}, op: refund(1), facts: refundFacts(ledger.EventUse, -10, 0), code: ledger.CodeInvalidRequest, field: "ledgerId"},
		{name: "refund without an entry", wallet: wallet(9, 0), op: ledger.Refund{Request: request, Amount: 1}, code: ledger.CodeInvalidRequest, field: "ledgerId"},
		{name: "refund of less than nothing", wallet: wallet(9, 0), op: refund(-1), facts: refundFacts(ledger.EventUse, -10, 0), code: ledger.CodeInvalidRequest, field: "amount"},

		{name: "adjust up", wallet: wallet(1, 0), op: ledger.Adjust{Request: request, Amount: 5, Description: "gift"}, amount: 5, after: 6},
		{name: "adjust down to zero", wallet: wallet(5, 0), op: ledger.Adjust{Request: request, Amount: -5, Description: "fix"}, amount: -5, after: 0},
		{name: "adjust below zero", wallet: wallet(5, 0), op: ledger.Adjust{Request: request, Amount: -6, Description: "fix"}, code: ledger.CodeInsufficientBalance},
		{name: "adjust into what is held", wallet: wallet(5, 3), op: ledger.Adjust{Request: request, Amount: -3, Description: "fix"}, code: ledger.CodeInsufficientBalance},
		{name: "adjust a negative balance up, not to zero", wallet: wallet(-5, 0), op: ledger.Adjust{Request: request, Amount: 2, Description: "fix"}, amount: 2, after: -3},
		{name: "adjust lifts the freeze of a negative balance", wallet: frozenWallet(-5, negative), op: ledger.Adjust{Request: request, Amount: 5, Description: "fix"}, amount: 5, after: 0},
		{name: "adjust by nothing", wallet: wallet(5, 0), op: ledger.Adjust{Request: request, Description: "fix"}, code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "adjust without a reason", wallet: wallet(5, 0), op: ledger.Adjust{Request: request, Amount: 1, Description: "  "}, code: ledger.CodeInvalidRequest, field: "description"},
		{name: "adjust by too much", wallet: wallet(5, 0), op: ledger.Adjust{Request: request, Amount: -maxAmount - 1, Description: "fix"}, code: ledger.CodeInvalidRequest, field: "amount"},
		{name: "adjust by the least int64", wallet: wallet(5, 0), op: ledger.Adjust{Request: request, Amount: -1 << 63, Description: "fix"}, code: ledger.CodeInvalidRequest, field: "amount"},

		{name: "freeze", wallet: wallet(5, 0), op: ledger.Freeze{Request: request, Reason: "fraud"}, after: 5, frozen: "fraud"},
		{name: "freeze again replaces the reason", wallet: frozenWallet(-5, negative), op: ledger.Freeze{Request: request, Reason: "fraud"}, after: -5, frozen: "fraud"},
		{name: "freeze with the ledger's own reason", wallet: wallet(5, 0), op: ledger.Freeze{Request: request, Reason: negative}, code: ledger.CodeInvalidRequest, field: "reason"},
		{name: "freeze without a reason", wallet: wallet(5, 0), op: ledger.Freeze{Request: request}, code: ledger.CodeInvalidRequest, field: "reason"},
		{name: "unfreeze", wallet: frozenWallet(5, "fraud"), op: ledger.Unfreeze{Request: request, Reason: "cleared"}, after: 5},
		{name: "unfreeze what is not frozen", wallet: wallet(5, 0), op: ledger.Unfreeze{Request: request, Reason: "cleared"}, after: 5},
		{name: "unfreeze without a reason", wallet: frozenWallet(5, "fraud"), op: ledger.Unfreeze{Request: request, Reason: " "}, code: ledger.CodeInvalidRequest, field: "reason"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.facts.ID == "" {
				test.facts = facts()
			}
			before := test.wallet
			outcome, err := ledger.Apply(test.wallet, test.op, test.facts)
			if test.code != "" {
				refused, ok := err.(*ledger.Error)
				if !ok || refused.Code != test.code || refused.Field != test.field {
					t.Fatalf("got %v (field %q), want %s of field %q", err, field(err), test.code, test.field)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			after := outcome.Wallet
			if after.Balance != test.after || after.FrozenReason != test.frozen || after.Frozen != (test.frozen != "") {
				t.Fatalf("the wallet is %+v, want balance %d and frozen %q", after, test.after, test.frozen)
			}
			if after.Held != before.Held || after.Subject != before.Subject || !after.UpdatedAt.Equal(noon) {
				t.Fatalf("the wallet is %+v", after)
			}
			checkEntry(t, before, outcome, test.amount)
		})
	}
}

func field(err error) string {
	if refused, ok := err.(*ledger.Error); ok {
		return refused.Field
	}
	return ""
}

func checkEntry(t *testing.T, before ledger.Wallet, outcome ledger.Outcome, amount int64) {
	t.Helper()
	entry := outcome.Entry
	if entry == nil {
		if outcome.Wallet.Seq != before.Seq || outcome.Wallet.Head != before.Head || outcome.Audit == nil {
			t.Fatalf("without an entry the chain must stay and the audit log must know: %+v", outcome)
		}
		return
	}
	if entry.Amount != amount || entry.ID != "entry4" || entry.Seq != 4 || entry.PrevHash != before.Head ||
		entry.BalanceAfter != outcome.Wallet.Balance || !entry.CreatedAt.Equal(noon) || entry.Subject != before.Subject {
		t.Fatalf("the entry is %+v, want amount %d", entry, amount)
	}
	if entry.Hash != entry.ComputeHash() || outcome.Wallet.Head != entry.Hash || outcome.Wallet.Seq != 4 {
		t.Fatal("the chain is broken")
	}
	isUse := entry.EventType == ledger.EventUse
	if isUse != (outcome.Usage != nil) || isUse == (outcome.Audit != nil) {
		t.Fatalf("a use leaves a usage row, everything by hand an audit row: %+v", outcome)
	}
	if isUse && (outcome.Usage.ID != entry.ID || outcome.Usage.ChargedTokens != -amount) {
		t.Fatalf("the usage row is %+v", outcome.Usage)
	}
}

func TestARefundTellsWhatIsLeft(t *testing.T) {
	for _, test := range []struct{ amount, refunded, left int64 }{{3, 0, 7}, {3, 5, 2}, {0, 5, 0}, {10, 0, 0}} {
		outcome, err := ledger.Apply(wallet(0, 0), ledger.Refund{Request: request, EntryID: "entry1", Amount: test.amount},
			refundFacts(ledger.EventUse, -10, test.refunded))
		if err != nil || outcome.Refundable != test.left {
			t.Errorf("%+v: got %d, %v", test, outcome.Refundable, err)
		}
		if outcome.Entry.ReferenceID != "entry1" || outcome.Entry.ReferenceType != ledger.ReferenceLedger || outcome.Entry.PlanID != "p" {
			t.Errorf("the refund does not say what it reverses: %+v", outcome.Entry)
		}
	}
}

func TestInsufficientBalanceSaysHowMuchThereIs(t *testing.T) {
	_, err := ledger.Apply(wallet(10, 4), ledger.Use{Request: request, Amount: 7}, facts())
	refused, ok := err.(*ledger.Error)
	if !ok || refused.Wallet == nil || refused.Wallet.Available() != 6 ||
		refused.Message != "7 tokens are needed and 6 are available: top up the wallet, then try again." {
		t.Fatalf("got %v", err)
	}
}

func TestAMintByPlanMovesTheEntitlement(t *testing.T) {
	plan := &ledger.PlanChange{PlanID: "pro_plan", RateLimitRPM: 300}
	outcome, err := ledger.Apply(wallet(0, 0), ledger.Mint{Request: request, Amount: 5, PlanID: "pro_plan", ByPlan: true, Plan: plan}, facts())
	if err != nil || outcome.Entitlement != plan || outcome.Entry.PlanID != "pro_plan" {
		t.Fatalf("got %+v, %v", outcome, err)
	}
	outcome, err = ledger.Apply(wallet(0, 0), ledger.Mint{Request: request, Amount: 5, PlanID: "pro_plan"}, facts())
	if err != nil || outcome.Entitlement != nil {
		t.Fatalf("a plan that is only named moved somebody: %+v, %v", outcome, err)
	}
}
