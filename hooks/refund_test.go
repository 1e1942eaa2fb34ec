package hooks

import "testing"

// The entry says whose wallet a refund is about; naming another one is refused.
func TestARefundFindsTheWalletByItsEntry(t *testing.T) {
	h := newHouse(t)
	mint := func() string {
		return h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", 10)).want(200).text("ledgerEntry.id")
	}
	refund := func(fields ...any) answer {
		return h.do("POST", "/api/wallet/refund", h.asRoot(), object(fields...))
	}
	if left := refund("ledgerId", mint(), "amount", 4).want(200).number("refundable"); left != 6 {
		t.Errorf("%d are left, want 6", left)
	}
	refund("ledgerId", mint(), "userId", h.alice.Id).want(200)
	third := mint()
	before := h.snapshot()
	refund("ledgerId", third, "userId", h.bob.Id).wantOutcome("400 invalid_request")
	refund("ledgerId", "nosuchentry").wantOutcome("400 invalid_request")
	refund("amount", 1).wantOutcome("400 invalid_request")
	refund("ledgerId", 7).wantOutcome("400 invalid_request")
	h.unchanged(before)
}
