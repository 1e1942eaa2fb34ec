package hooks

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"sokuji/internal/apikeys"
)

func TestABatchAnswersEachUseInOrder(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	body := `{"userId":"` + h.alice.Id + `","uses":[
		{"amount":10,"description":"first"}, {"amount":0}, {"amount":1000}, 7,
		{"provider":"openai","model":"gpt-4o-realtime-preview","inputTokens":100},
		{"amount":1,"userId":"` + h.bob.Id + `"}, {"provider":"nobody","model":"m","inputTokens":1}, {"amount":30}]}`
	results := h.do("POST", "/api/wallet/use/batch", h.asRoot(), body).want(200)
	want := []string{"10", "invalid_request amount", "insufficient_balance", "invalid_request uses", "60",
		"invalid_request userId", "invalid_request model", "30"}
	for i, expected := range want {
		at := fmt.Sprintf("results.%d.", i)
		got := ""
		if results.value(at+"success") == true {
			got = fmt.Sprint(results.number(at + "deducted"))
		} else {
			got = results.text(at + "code")
			if field, named := results.value(at + "field").(string); named {
				got += " " + field
			}
		}
		if got != expected {
			t.Errorf("use %d: %s, want %s: %s", i, got, expected, results.body)
		}
	}
	if got := h.balance(h.alice); got != 0 {
		t.Errorf("the balance is %d", got)
	}
	if rows := h.count("usage_logs", "TRUE"); rows != 3 {
		t.Errorf("%d usage rows", rows)
	}
}

func TestABatchIsIdempotentAsAWholeAndPerUse(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	send := func(key string, uses ...map[string]any) answer {
		return h.do("POST", "/api/wallet/use/batch", h.asRoot(), object("userId", h.alice.Id, "uses", uses), "Idempotency-Key", key)
	}
	one, tooMuch := map[string]any{"amount": 10, "idempotencyKey": "u1"}, map[string]any{"amount": 500}
	first := send("b1", one, tooMuch).want(200)
	h.mint(h.alice, 1000) // the second use would be possible now
	again := send("b1", one, tooMuch).want(200)
	if string(first.body) != string(again.body) || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("first %s\nagain %s", first.body, again.body)
	}
	send("b1", one).wantOutcome("409 idempotency_mismatch")

	second := send("b2", one, map[string]any{"amount": 5}).want(200)
	if second.text("results.0.ledgerEntry.id") != first.text("results.0.ledgerEntry.id") {
		t.Errorf("the use was done twice: %s", second.body)
	}
	h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", h.alice.Id, "amount", 10), "Idempotency-Key", "u1").want(200)
	if changed := send("b3", map[string]any{"amount": 11, "idempotencyKey": "u1"}).want(200); changed.text("results.0.code") != "idempotency_mismatch" {
		t.Errorf("another amount under the same key: %s", changed.body)
	}
	if got := h.balance(h.alice); got != 1085 {
		t.Errorf("the balance is %d, want 1085", got)
	}
}

func TestOnlyABrokenEnvelopeIsRefused(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 5000)
	use := json.RawMessage(`{"amount":1}`)
	most := make([]json.RawMessage, 1000)
	for i := range most {
		most[i] = use
	}
	before := h.snapshot()
	for name, body := range map[string]string{
		"no uses": object("userId", h.alice.Id), "no list": object("userId", h.alice.Id, "uses", "x"),
		"an empty list": object("userId", h.alice.Id, "uses", []int{}),
		"too many":      object("userId", h.alice.Id, "uses", append(most, use)),
	} {
		t.Run(name, func(t *testing.T) {
			h.do("POST", "/api/wallet/use/batch", h.asRoot(), body).wantOutcome("400 invalid_request").names("uses")
		})
	}
	h.do("POST", "/api/wallet/use/batch", h.asRoot(), strings.Repeat(" ", maxBatchBodyBytes+1)).wantOutcome("413 invalid_request")
	h.unchanged(before)
	h.do("POST", "/api/wallet/use/batch", h.asRoot(), object("userId", h.alice.Id, "uses", most)).want(200)
	if got := h.balance(h.alice); got != 4000 {
		t.Errorf("the balance is %d", got)
	}
}

// What could not be done at all is not remembered: the key works once the wallet
// is there.
func TestABatchOfAnUnknownWalletIsRefusedAsAWhole(t *testing.T) {
	h := newHouse(t)
	send := func() answer {
		return h.do("POST", "/api/wallet/use/batch", h.asRoot(),
			object("userId", "new0000000user1", "uses", []map[string]any{{"amount": 1, "allowNegative": true}}), "Idempotency-Key", "b1")
	}
	send().wantOutcome("404 wallet_not_found")
	h.save(usersCollection, map[string]any{
		"id": "new0000000user1", "email": "new@example.com", "password": testPassword, "name": "New",
	})
	if got := send().want(200); got.value("results.0.success") != true || got.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("the key is spent: %s", got.body)
	}
}

// A batch that is too large says what a batch may be.
func TestATooLargeBatchNamesItsOwnBound(t *testing.T) {
	h := newHouse(t)
	h.do("POST", "/api/wallet/use/batch", h.asRoot(), strings.Repeat(" ", maxBatchBodyBytes+1)).
		wantOutcome("413 invalid_request").names(fmt.Sprint(maxBatchBodyBytes))
}

func TestAKeysBatchMayNotGoBelowZero(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 10)
	uses := []map[string]any{{"amount": 50, "allowNegative": true}, {"amount": 5}}
	results := h.do("POST", "/api/wallet/use/batch", bearer(h.key(apikeys.ScopeWalletCharge)), object("uses", uses)).want(200)
	if results.text("results.0.code") != "forbidden" || results.value("results.1.success") != true {
		t.Errorf("results: %s", results.body)
	}
}
