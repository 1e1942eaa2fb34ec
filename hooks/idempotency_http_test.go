package hooks

import (
	"sync"
	"testing"

	"sokuji/internal/apikeys"
)

const replayed = "Idempotent-Replayed"

// The same key and fields answer the first result, whatever happened since; other
// fields are refused; other keys and routes are other requests.
func TestIdempotencyKeys(t *testing.T) {
	for _, c := range []struct{ route, body, other string }{
		{"mint", `"amount":5`, `"amount":6`},
		{"mint", `"amount":5`, `"amount":5,"description":"x"`},
		{"mint", `"planId":"pro_plan","amountCents":5000`, `"planId":"pro_plan","amountCents":4999`},
		{"mint", `"planId":"pro_plan","amountCents":5000`, `"amount":50000000,"planId":"pro_plan"`},
		{"use", `"amount":5`, `"amount":6`},
		{"use", `"amount":5,"metadata":{"a":1}`, `"amount":5,"metadata":{"a":2}`},
		{"use", `"provider":"openai","model":"whisper-1","durationSeconds":5`, `"provider":"openai","model":"whisper-1","durationSeconds":6`},
		{"adjust", `"amount":-5,"description":"x"`, `"amount":-5,"description":"y"`},
		{"freeze", `"reason":"x"`, `"reason":"y"`},
		{"unfreeze", `"reason":"x"`, `"reason":"y"`},
	} {
		t.Run(c.route+" "+c.body, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.mint(h.alice, 1000)
			named := `{"userId":"` + h.alice.Id + `",`
			post := func(body, key string) answer {
				return h.do("POST", "/api/wallet/"+c.route, h.asRoot(), named+body+"}", "Idempotency-Key", key)
			}
			first := post(c.body, "k1").want(200)
			if first.header.Get(replayed) != "" {
				t.Error("the first answer says that it is a replay")
			}
			h.mint(h.alice, 7)
			before := h.snapshot()
			again := post(c.body, "k1").want(200)
			if again.header.Get(replayed) != "true" || string(again.body) != string(first.body) {
				t.Errorf("the replay is %q %s\nwant %s", again.header.Get(replayed), again.body, first.body)
			}
			post("  "+c.body+`,"unknown":1`, "k1").want(200) // the hash covers the fields that are read
			post(c.other, "k1").wantOutcome("409 idempotency_mismatch")
			h.unchanged(before)
			if second := post(c.body, "k2").want(200); second.header.Get(replayed) != "" {
				t.Error("another key is answered from the first")
			}
		})
	}
}

// A key belongs to one wallet and one route.
func TestIdempotencyKeysAreScoped(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		route string
		user  string
	}{{"mint", h.alice.Id}, {"mint", h.bob.Id}, {"use", h.alice.Id}, {"use", h.bob.Id}} {
		got := h.do("POST", "/api/wallet/"+c.route, h.asRoot(), object("userId", c.user, "amount", 5), "Idempotency-Key", "k1").want(200)
		if got.header.Get(replayed) != "" {
			t.Errorf("%s of %s met another request's key", c.route, c.user)
		}
	}
	// by whichever caller it comes, it is the same request
	h.mint(h.alice, 100)
	got := h.do("POST", "/api/wallet/use", bearer(h.key(apikeys.ScopeWalletCharge)), object("amount", 5), "Idempotency-Key", "k1").want(200)
	if got.header.Get(replayed) != "true" {
		t.Error("a key of the owner's does not meet the superuser's request")
	}
}

// Only successes are stored: a refusal may be tried again.
func TestRefusalsAreNotStored(t *testing.T) {
	h := newHouse(t)
	use := func() answer {
		return h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", h.alice.Id, "amount", 5), "Idempotency-Key", "k1")
	}
	use().wantOutcome("402 insufficient_balance")
	h.mint(h.alice, 5)
	if got := use().want(200); got.header.Get(replayed) != "" || got.number("remaining") != 0 {
		t.Errorf("the second try is %s", got.body)
	}
}

func TestManyOfOneKeyAtOnceDoItOnce(t *testing.T) {
	h := newHouse(t)
	root := h.asRoot()
	var group sync.WaitGroup
	answers := make(chan answer, 16)
	for range cap(answers) {
		group.Go(func() {
			answers <- h.do("POST", "/api/wallet/mint", root, object("userId", h.alice.Id, "amount", 5), "Idempotency-Key", "k1")
		})
	}
	group.Wait()
	close(answers)
	firsts, ids := 0, make(map[string]bool)
	for got := range answers {
		if got.header.Get(replayed) == "" {
			firsts++
		}
		ids[got.text("ledgerEntry.id")] = true
	}
	if firsts != 1 || len(ids) != 1 || h.balance(h.alice) != 5 {
		t.Errorf("%d firsts, %d entries, balance %d; want 1, 1, 5", firsts, len(ids), h.balance(h.alice))
	}
}

func TestExternalEventsAreMintedOnce(t *testing.T) {
	h := newHouse(t)
	mint := func(pairs ...any) answer {
		return h.do("POST", "/api/wallet/mint", h.asRoot(), object(append([]any{"externalEventId", "evt_1"}, pairs...)...))
	}
	first := mint("userId", h.alice.Id, "amount", 100).want(200)
	h.use(h.alice, 30)
	before := h.snapshot()
	again := mint("userId", h.alice.Id, "amount", 100, "description", "the provider tries again").want(200)
	if again.header.Get(replayed) != "true" || string(again.body) != string(first.body) {
		t.Errorf("the replay is %q %s\nwant %s", again.header.Get(replayed), again.body, first.body)
	}
	mint("userId", h.alice.Id, "amount", 101).wantOutcome("409 idempotency_mismatch")
	mint("userId", h.bob.Id, "amount", 100).wantOutcome("409 idempotency_mismatch")
	mint("userId", h.alice.Id, "planId", "pro_plan", "amountCents", 5000).wantOutcome("409 idempotency_mismatch")
	h.unchanged(before)
}

// "For ever" holds after an admin edited what the first result was made of.
func TestReplaysOutliveTheAdminsEdits(t *testing.T) {
	mintPlan := func(h *house, headers ...string) answer {
		return h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "planId", "pro_plan", "amountCents", 6000, "externalEventId", "evt_1"), headers...)
	}
	useModel := func(h *house, headers ...string) answer {
		return h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", h.alice.Id, "provider", "openai", "model", "whisper-1", "durationSeconds", 5), headers...)
	}
	plan := "/api/collections/plans/records/pro_plan"
	for _, c := range []struct {
		rule    string
		do      func(h *house, headers ...string) answer
		headers []string
		edit    func(h *house)
	}{
		{"the plan was edited, by key", mintPlan, []string{"Idempotency-Key", "k1"}, func(h *house) {
			h.do("PATCH", plan, h.asRoot(), object("monthly_quota_tokens", 1, "price_cents", 7)).want(200)
		}},
		{"the plan was edited, by event", mintPlan, nil, func(h *house) {
			h.do("PATCH", plan, h.asRoot(), object("monthly_quota_tokens", 1, "price_cents", 7)).want(200)
		}},
		{"the plan is gone, by key", mintPlan, []string{"Idempotency-Key", "k1"}, func(h *house) { h.dropPlan(plan) }},
		{"the plan is gone, by event", mintPlan, nil, func(h *house) { h.dropPlan(plan) }},
		{"the model has a new price", useModel, []string{"Idempotency-Key", "k1"}, func(h *house) {
			h.price("whisper-1", "milliseconds", 900_000)
		}},
		{"the new price does not price it", useModel, []string{"Idempotency-Key", "k1"}, func(h *house) {
			h.price("whisper-1", "in_text", 900_000)
		}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.mint(h.alice, 1000)
			first := c.do(h, c.headers...).want(200)
			c.edit(h)
			before := h.snapshot()
			again := c.do(h, c.headers...).want(200)
			if again.header.Get(replayed) != "true" || string(again.body) != string(first.body) {
				t.Errorf("the replay is %q %s\nwant %s", again.header.Get(replayed), again.body, first.body)
			}
			h.unchanged(before)
		})
	}
}

// dropPlan moves alice to another plan, so that PocketBase lets the plan go.
func (h *house) dropPlan(plan string) {
	h.t.Helper()
	entitlement := ofUser("entitlements", "subject_id")(h)
	h.do("PATCH", "/api/collections/entitlements/records/"+entitlement, h.asRoot(), object("plan_id", "free_plan")).want(200)
	h.do("DELETE", plan, h.asRoot(), "").want(204)
}

// price adds a row to the price book, in force from now on.
func (h *house) price(model, class string, rate int64) {
	h.t.Helper()
	h.do("POST", "/api/collections/prices/records", h.asRoot(), object(
		"provider", "openai", "model", model, class, rate, "effective_from", "2020-01-01 00:00:00.000Z")).want(200)
}
