package hooks

import (
	"strings"
	"testing"
	"time"

	"sokuji/internal/apikeys"
)

func TestAHoldIsReservedExtendedAndSettled(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	opened := h.do("POST", "/api/wallet/holds", h.asRoot(),
		object("userId", h.alice.Id, "amount", 40, "expiresInSeconds", 60, "reference", "call-1")).want(201)
	hold := opened.text("hold.id")
	if opened.number("held") != 40 || opened.number("available") != 60 || opened.number("balance") != 100 ||
		opened.text("hold.state") != "open" || opened.text("hold.reference") != "call-1" {
		t.Errorf("opened: %s", opened.body)
	}
	deadline, err := time.Parse(time.RFC3339, opened.text("hold.expiresAt"))
	if left := time.Until(deadline); err != nil || left < 50*time.Second || left > 61*time.Second {
		t.Errorf("the deadline is %s away (%v)", left, err)
	}
	h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", h.alice.Id, "amount", 61)).wantOutcome("402 insufficient_balance")

	extended := h.do("POST", "/api/wallet/holds/"+hold+"/extend", h.asRoot(), object("amount", 60, "expiresInSeconds", 120)).want(200)
	if extended.number("held") != 100 || extended.number("hold.amount") != 100 || extended.text("hold.expiresAt") <= opened.text("hold.expiresAt") {
		t.Errorf("extended: %s", extended.body)
	}
	h.do("POST", "/api/wallet/holds/"+hold+"/extend", h.asRoot(), object("amount", 1)).wantOutcome("402 insufficient_balance")

	settled := h.do("POST", "/api/wallet/holds/"+hold+"/settle", h.asRoot(),
		object("provider", "openai", "model", "gpt-4o-realtime-preview", "inputTokens", 100)).want(200)
	if settled.number("deducted") != 60 || settled.number("remaining") != 40 ||
		settled.text("ledgerEntry.referenceType") != "hold" || settled.text("ledgerEntry.referenceId") != hold ||
		settled.text("usage.model") != "gpt-4o-realtime-preview" {
		t.Errorf("settled: %s", settled.body)
	}
	for _, verb := range []string{"extend", "settle", "release"} {
		h.do("POST", "/api/wallet/holds/"+hold+"/"+verb, h.asRoot(), object("amount", 1)).wantOutcome("409 hold_not_open")
	}
	balance := h.do("GET", "/api/wallet/balance", h.asAlice(), "").want(200)
	if balance.number("held") != 0 || balance.number("available") != 40 {
		t.Errorf("balance: %s", balance.body)
	}
}

func TestAHoldIsReleased(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	hold := h.hold(h.alice, 100)
	released := h.do("POST", "/api/wallet/holds/"+hold+"/release", h.asRoot(), "").want(200)
	if released.number("held") != 0 || released.number("available") != 100 {
		t.Errorf("released: %s", released.body)
	}
	h.do("POST", "/api/wallet/holds/"+hold+"/settle", h.asRoot(), object("amount", 1)).wantOutcome("409 hold_not_open")
	if got := h.balance(h.alice); got != 100 {
		t.Errorf("the balance is %d", got)
	}
}

// A settlement is a cost that is real already.
func TestASettlementIsRecordedWhateverTheWalletIs(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	hold := h.hold(h.alice, 10)
	h.do("POST", "/api/wallet/freeze", h.asRoot(), object("userId", h.alice.Id, "reason", "fraud")).want(200)
	h.do("POST", "/api/wallet/holds", h.asRoot(), object("userId", h.alice.Id, "amount", 1)).wantOutcome("403 wallet_frozen")
	settled := h.do("POST", "/api/wallet/holds/"+hold+"/settle", h.asRoot(), object("amount", 150)).want(200)
	if settled.number("remaining") != -50 {
		t.Errorf("settled: %s", settled.body)
	}
}

func TestASettlementOfNothingIsRecordedToo(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	settled := h.do("POST", "/api/wallet/holds/"+h.hold(h.alice, 10)+"/settle", h.asRoot(), object("amount", 0)).want(200)
	if settled.number("deducted") != 0 || settled.number("remaining") != 100 {
		t.Errorf("settled: %s", settled.body)
	}
}

func TestAHoldExpiresByItself(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	hold := h.do("POST", "/api/wallet/holds", h.asRoot(), object("userId", h.alice.Id, "amount", 100, "expiresInSeconds", 1)).
		want(201).text("hold.id")
	waitFor(t, 5*time.Second, func() bool { // api.md's promise
		return h.do("GET", "/api/wallet/balance", h.asAlice(), "").want(200).number("available") == 100
	})
	h.do("POST", "/api/wallet/holds/"+hold+"/extend", h.asRoot(), object("amount", 1)).wantOutcome("409 hold_not_open")
	listed := h.do("GET", "/api/wallet/holds?state=expired&userId="+h.alice.Id, h.asRoot(), "").want(200)
	if listed.length("holds") != 1 || listed.text("holds.0.id") != hold {
		t.Errorf("expired: %s", listed.body)
	}
	h.do("POST", "/api/wallet/holds/"+hold+"/settle", h.asRoot(), object("amount", 30)).want(200)
	if got := h.balance(h.alice); got != 70 {
		t.Errorf("the balance is %d", got)
	}
}

func waitFor(t *testing.T, limit time.Duration, done func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("nothing happened within %s", limit)
		}
	}
}

func TestARepeatedHoldAnswersTheFirstResult(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	open := func() answer {
		return h.do("POST", "/api/wallet/holds", h.asRoot(), object("userId", h.alice.Id, "amount", 10), "Idempotency-Key", "k")
	}
	first := open().want(201)
	hold := first.text("hold.id")
	h.do("POST", "/api/wallet/holds/"+hold+"/extend", h.asRoot(), object("amount", 5)).want(200)
	again := open().want(201)
	if string(again.body) != string(first.body) || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("first %s\nagain %s", first.body, again.body)
	}
	settle := func(amount int) answer {
		return h.do("POST", "/api/wallet/holds/"+hold+"/settle", h.asRoot(), object("amount", amount), "Idempotency-Key", "k")
	}
	settled := settle(7).want(200)
	if again := settle(7).want(200); string(again.body) != string(settled.body) {
		t.Errorf("settled %s\nagain %s", settled.body, again.body)
	}
	settle(8).wantOutcome("409 idempotency_mismatch")
	if got := h.balance(h.alice); got != 93 {
		t.Errorf("the balance is %d", got)
	}
}

// A key holds and settles in its owner's wallet; another's hold does not exist.
func TestAChargeKeyReachesItsOwnersHoldsOnly(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	h.mint(h.bob, 100)
	key := bearer(h.key(apikeys.ScopeWalletCharge))
	own := h.do("POST", "/api/wallet/holds", key, object("amount", 10)).want(201).text("hold.id")
	foreign := h.hold(h.bob, 10)
	before := h.snapshot()
	for _, verb := range []string{"extend", "settle", "release"} {
		h.do("POST", "/api/wallet/holds/"+foreign+"/"+verb, key, object("amount", 1)).wantOutcome("404 hold_not_found")
		h.do("POST", "/api/wallet/holds/nothing/"+verb, key, object("amount", 1)).wantOutcome("404 hold_not_found")
		h.do("POST", "/api/wallet/holds/"+foreign+"/"+verb, key, object("amount", 1, "userId", h.bob.Id)).wantOutcome("403 forbidden")
		h.do("POST", "/api/wallet/holds/"+foreign+"/"+verb, h.asRoot(), object("amount", 1, "userId", h.alice.Id)).wantOutcome("404 hold_not_found")
	}
	h.do("GET", "/api/wallet/holds?userId="+h.bob.Id, key, "").wantOutcome("403 forbidden")
	h.unchanged(before)
	if listed := h.do("GET", "/api/wallet/holds", key, "").want(200); listed.length("holds") != 1 || listed.text("holds.0.id") != own {
		t.Errorf("listed: %s", listed.body)
	}
}

func TestHoldsAreListedInPages(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	for range 5 {
		h.hold(h.alice, 1)
	}
	seen, path := "", "/api/wallet/holds?limit=2&userId="+h.alice.Id
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		page := h.do("GET", path+"&cursor="+cursor, h.asRoot(), "").want(200)
		for i := range page.length("holds") {
			id := page.text("holds." + string(rune('0'+i)) + ".id")
			if seen != "" && id >= seen {
				t.Errorf("%s comes after %s", id, seen)
			}
			seen = id
		}
		if page.number("pagination.total") != 5 || pages > 3 {
			t.Fatalf("page %d: %s", pages, page.body)
		}
		cursor, _ = page.value("pagination.nextCursor").(string)
	}
}

func TestBadHoldsAreRefused(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	hold := h.hold(h.alice, 10)
	before := h.snapshot()
	for _, c := range []struct{ path, body, field string }{
		{"holds", object("amount", 0), "amount"},
		{"holds", object("amount", 1.5), "amount"},
		{"holds", object(), "amount"},
		{"holds", object("amount", 1, "expiresInSeconds", 0), "expiresInSeconds"},
		{"holds", object("amount", 1, "expiresInSeconds", 86401), "expiresInSeconds"},
		{"holds", object("amount", 1, "expiresInSeconds", "60"), "expiresInSeconds"},
		{"holds", object("amount", 1, "reference", strings.Repeat("x", 256)), "reference"},
		{"holds/" + hold + "/extend", object(), "amount"},
		{"holds/" + hold + "/extend", object("amount", -1), "amount"},
		{"holds/" + hold + "/settle", object(), "amount"},
		{"holds/" + hold + "/settle", object("amount", -1), "amount"},
		{"holds/" + hold + "/settle", object("amount", 1, "model", "m"), "amount"},
		{"holds/" + hold + "/settle", object("provider", "nobody", "model", "m", "inputTokens", 1), "model"},
	} {
		body := strings.Replace(c.body, "{", `{"userId":"`+h.alice.Id+`",`, 1)
		h.do("POST", "/api/wallet/"+c.path, h.asRoot(), strings.Replace(body, ",}", "}", 1)).
			wantOutcome("400 invalid_request").names(c.field)
	}
	h.unchanged(before)
	h.do("GET", "/api/wallet/holds?state=lost&userId="+h.alice.Id, h.asRoot(), "").wantOutcome("400 invalid_request").names("state")
}
