package hooks

import (
	"fmt"
	"testing"
)

// An edit of a plan reaches those who are on it, but for what an admin set apart.
func TestAPlansEditReachesItsPeople(t *testing.T) {
	h := newHouse(t)
	edit := func(plan string, pairs ...any) answer {
		t.Helper()
		return h.do("PATCH", "/api/collections/plans/records/"+plan, h.asRoot(), object(pairs...))
	}
	limitsOf := func(id string) string {
		t.Helper()
		row := h.do("GET", "/api/collections/entitlements/records/"+id, h.asRoot(), "").want(200)
		return fmt.Sprintf("%v %v %v %v", row.value("rate_limit_rpm"), row.value("max_concurrent_sessions"), row.value("features"), row.value("allowed_models"))
	}
	want := func(who, id, limits string) {
		t.Helper()
		if got := limitsOf(id); got != limits {
			t.Errorf("%s has %s, want %s", who, got, limits)
		}
	}
	alice := h.firstID(entitlementsCollection, "subject_id = {:id}", "id", h.alice.Id)
	bob := h.firstID(entitlementsCollection, "subject_id = {:id}", "id", h.bob.Id)
	h.plan("rate_limit_rpm", 7).want(200) // alice's own
	before := h.do("GET", "/api/wallet/balance", h.asBob(), "").want(200)
	if before.number("rateLimitRpm") != 60 {
		t.Fatalf("bob has %s", before.body)
	}

	edit("free_plan", "rate_limit_rpm", 90, "features", []string{"basic", "advanced_models"}, "allowed_models", []string{"gpt-*"}).want(200)
	want("alice", alice, "7 1 [basic advanced_models] [gpt-*]")
	want("bob", bob, "90 1 [basic advanced_models] [gpt-*]")
	if after := h.do("GET", "/api/wallet/balance", h.asBob(), "").want(200); after.number("rateLimitRpm") != 90 {
		t.Errorf("bob's next request has %s", after.body)
	}
	// lists are the same however they are written
	h.mustExecute(`UPDATE entitlements SET features = '[ "basic",  "advanced_models" ]' WHERE id = {:id}`, "id", bob)
	edit("free_plan", "features", []string{"basic"}, "allowed_models", nil, "max_concurrent_sessions", 2).want(200)
	want("alice", alice, "7 2 [basic] <nil>")
	want("bob", bob, "90 2 [basic] <nil>")
	h.mustExecute(`UPDATE entitlements SET allowed_models = '[]' WHERE id = {:id}`, "id", bob)
	edit("free_plan", "allowed_models", []string{"o3"}).want(200)
	want("bob", bob, "90 2 [basic] [o3]")

	edit("pro_plan", "rate_limit_rpm", 90).want(200)
	edit("pro_plan", "rate_limit_rpm", 100).want(200)
	want("bob, of another plan,", bob, "90 2 [basic] [o3]")
	edit("free_plan", "price_cents", 5).want(200)
	edit("free_plan", "rate_limit_rpm", 1.5).want(400)
	want("bob, after other edits,", bob, "90 2 [basic] [o3]")
}

// More people than one step takes.
func TestAPlansEditReachesAll(t *testing.T) {
	h := newHouse(t)
	const people = 2*maxCarriedRows + 17
	h.mustExecute(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {:people})
		INSERT INTO entitlements (id, subject_type, subject_id, plan_id, max_concurrent_sessions, rate_limit_rpm, features, updated_at)
		SELECT 'e' || i, 'user', 'u' || i, 'starter_plan', 2, 120, '["basic"]', '' FROM n`, "people", people)
	h.do("PATCH", "/api/collections/plans/records/starter_plan", h.asRoot(), object("rate_limit_rpm", 150)).want(200)
	var moved int
	if err := h.app.DB().NewQuery("SELECT COUNT(*) FROM entitlements WHERE plan_id = 'starter_plan' AND rate_limit_rpm = 150").Row(&moved); err != nil || moved != people {
		t.Errorf("the edit reached %d of %d (%v)", moved, people, err)
	}
}
