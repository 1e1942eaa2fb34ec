package hooks

import (
	"testing"
	"time"
)

func TestTheBalanceShowsWhatExpiresNext(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	if next := h.do("GET", "/api/wallet/balance", h.asAlice(), "").want(200).value("nextExpiry"); next != nil {
		t.Errorf("nothing expires, and yet: %v", next)
	}
	mint := func(amount int, at string) answer {
		return h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", amount, "expiresAt", at))
	}
	mint(30, "2099-06-01T00:00:00Z").want(200)
	minted := mint(20, "2099-01-01T00:00:00+01:00").want(200)
	mint(5, "2098-12-31T23:00:00Z").want(200)
	if minted.text("ledgerEntry.metadata.expiresAt") != "2098-12-31T23:00:00.000Z" {
		t.Errorf("minted: %s", minted.body)
	}
	balance := h.do("GET", "/api/wallet/balance", h.asAlice(), "").want(200)
	if balance.number("nextExpiry.tokens") != 25 || balance.text("nextExpiry.at") != "2098-12-31T23:00:00.000Z" {
		t.Errorf("balance: %s", balance.body)
	}
	h.use(h.alice, 30) // the 25, then 5 of the 30
	balance = h.do("GET", "/api/wallet/balance", h.asAlice(), "").want(200)
	if balance.number("nextExpiry.tokens") != 25 || balance.text("nextExpiry.at") != "2099-06-01T00:00:00.000Z" {
		t.Errorf("balance: %s", balance.body)
	}
}

// A hold keeps tokens beyond their expiry. What expires next lies ahead.
func TestWhatExpiresNextLiesAhead(t *testing.T) {
	h := newHouse(t)
	expiry := time.Now().Add(time.Second)
	h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", 40, "expiresAt", expiry.UTC().Format(time.RFC3339Nano))).want(200)
	hold := h.hold(h.alice, 30)
	next := func() any { return h.do("GET", "/api/wallet/balance", h.asAlice(), "").want(200).value("nextExpiry") }
	waitFor(t, 5*time.Second, func() bool { return h.balance(h.alice) == 30 })
	if got := next(); got != nil {
		t.Errorf("only kept tokens are there, and yet: %v", got)
	}
	h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", 7, "expiresAt", "2099-01-01T00:00:00Z")).want(200)
	balance := h.do("GET", "/api/wallet/balance", h.asAlice(), "").want(200)
	if balance.number("nextExpiry.tokens") != 7 || balance.text("nextExpiry.at") != "2099-01-01T00:00:00.000Z" {
		t.Errorf("balance: %s", balance.body)
	}
	h.do("POST", "/api/wallet/holds/"+hold+"/release", h.asRoot(), "").want(200)
	if got := h.balance(h.alice); got != 7 {
		t.Errorf("the balance is %d, want 7", got)
	}
}

func TestTokensExpireByThemselves(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	soon := time.Now().Add(time.Second).UTC().Format(time.RFC3339Nano)
	h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", 40, "expiresAt", soon)).want(200)
	h.use(h.alice, 15)
	waitFor(t, 5*time.Second, func() bool { return h.balance(h.alice) == 100 })
	entry := h.do("GET", "/api/wallet/ledger?limit=1", h.asAlice(), "").want(200)
	if entry.number("ledger.0.amountTokens") != -25 || entry.text("ledger.0.eventType") != "adjust" ||
		entry.text("ledger.0.referenceType") != "grant" {
		t.Errorf("the last entry is %s", entry.body)
	}
}

func TestBadExpiriesAreRefused(t *testing.T) {
	h := newHouse(t)
	before := h.snapshot()
	for _, at := range []any{"2020-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0004Z", "0001-01-01T01:00:00+01:00", "0000-01-01T00:00:00Z", "tomorrow", 17, "2099-01-01", "10000-01-01T00:00:00Z"} {
		h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", 5, "expiresAt", at)).
			wantOutcome("400 invalid_request").names("expiresAt")
	}
	h.unchanged(before)
}
