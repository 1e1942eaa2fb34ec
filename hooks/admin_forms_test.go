package hooks

import (
	"strings"
	"testing"
)

// wantField is the refusal of one column, in words that an admin can act on.
func (a answer) wantField(column, remedy string) {
	a.t.Helper()
	message := a.want(400).text("data." + column + ".message")
	if !strings.HasPrefix(strings.ToLower(message), column+" ") || !strings.Contains(message, remedy) || strings.Contains(message, "Go value") {
		a.t.Errorf("the refusal of %s is %s", column, a.body)
	}
}

// An admin is told of what would close a key, a plan or a model, before it is saved.
func TestAnAdminsListsAreLists(t *testing.T) {
	h := newHouse(t)
	entitlement := "/api/collections/entitlements/records/" + h.firstID(entitlementsCollection, "subject_id = {:id}", "id", h.alice.Id)
	key := "/api/collections/api_keys/records/" + h.newKey().text("id")
	for path, columns := range map[string][]string{
		"/api/collections/plans/records/free_plan": {"allowed_models", "features"},
		entitlement: {"allowed_models", "features"},
		key:         {"allowed_models", "allowed_ips", "scopes"},
	} {
		before := h.do("GET", path, h.asRoot(), "").want(200)
		for _, column := range columns {
			for _, wrong := range []any{"all", `{"a":1}`, 7, true, []int{1}, []any{[]string{"a"}}} {
				h.do("PATCH", path, h.asRoot(), object(column, wrong)).wantField(column, "must be a list of texts, such as [")
			}
			h.do("PATCH", path, h.asRoot(), object(column, []string{" x"})).wantField(column, "has an entry that cannot be")
		}
		if after := h.do("GET", path, h.asRoot(), "").want(200); string(after.body) != string(before.body) {
			t.Errorf("%s became %s", path, after.body)
		}
		// an emptied field of the dashboard
		if after := h.do("PATCH", path, h.asRoot(), object("allowed_models", "")).want(200); after.value("allowed_models") != nil {
			t.Errorf("an emptied list became %s", after.body)
		}
	}
	h.do("POST", "/api/collections/plans/records", h.asRoot(), object("id", "new_plan", "features", "basic")).wantField("features", "list of texts")
}

// A row that cannot be read for another reason may still be disabled.
func TestAnUnreadableKeyIsStillDisabled(t *testing.T) {
	h := newHouse(t)
	id := h.newKey().text("id")
	h.mustExecute(`UPDATE api_keys SET allowed_ips = '"home"' WHERE id = {:id}`, "id", id)
	h.do("PATCH", "/api/collections/api_keys/records/"+id, h.asRoot(), object("disabled", true)).want(200)
}

// A text would be stored as 0, which is no limit at all.
func TestAnAdminsNumbersAreNumbers(t *testing.T) {
	h := newHouse(t)
	entitlement := "/api/collections/entitlements/records/" + h.firstID(entitlementsCollection, "subject_id = {:id}", "id", h.alice.Id)
	key := "/api/collections/api_keys/records/" + h.newKey().text("id")
	for path, column := range map[string]string{
		"/api/collections/plans/records/free_plan": "rate_limit_rpm", entitlement: "rate_limit_tpm", key: "spend_limit_tokens",
	} {
		h.do("PATCH", path, h.asRoot(), object(column, 77)).want(200)
		for _, wrong := range []any{"lots", "1e999", "NaN", true, []int{1}, map[string]int{"a": 1}} {
			h.do("PATCH", path, h.asRoot(), object(column, wrong)).wantField(column, "must be a number")
			h.do("PATCH", path, h.asRoot(), object(column+"+", wrong)).wantField(column, "must be a number")
		}
		if kept := h.do("GET", path, h.asRoot(), "").want(200).number(column); kept != 77 {
			t.Errorf("%s of %s became %d", column, path, kept)
		}
		for written, want := range map[any]int64{"78": 78, nil: 0, " ": 0, 79: 79} {
			if got := h.do("PATCH", path, h.asRoot(), object(column, written)).want(200).number(column); got != want {
				t.Errorf("%v was stored as %d, want %d", written, got, want)
			}
		}
	}
	h.do("POST", "/api/collections/prices/records", h.asRoot(), object("provider", "openai", "model", "new", "in_text", "dear")).wantField("in_text", "must be a number")
}

func TestLimitsAreNotNegative(t *testing.T) {
	h := newHouse(t)
	for _, column := range []string{"rate_limit_rpm", "rate_limit_tpm", "max_concurrent_sessions", "monthly_quota_tokens", "price_cents"} {
		refused := h.do("PATCH", "/api/collections/plans/records/free_plan", h.asRoot(), object(column, -1)).want(400)
		if refused.text("data."+column+".code") != "validation_min_number_constraint" {
			t.Errorf("%s: %s", column, refused.body)
		}
		if strings.HasPrefix(column, "m") && column != "max_concurrent_sessions" || column == "price_cents" {
			continue
		}
		h.plan(column, -1).want(400)
	}
}

// A row of a key stays that key's: not even a superuser makes another one of it.
func TestAKeysIdentityIsNotEdited(t *testing.T) {
	h := newHouse(t)
	made := h.newKey()
	path := "/api/collections/api_keys/records/" + made.text("id")
	rotated := h.do("POST", keysPath+"/"+made.text("id")+"/rotate", h.asAlice(), object("graceSeconds", 600)).want(200)
	before := h.snapshot(keysCollection)
	for column, value := range map[string]any{
		"key_hash": strings.Repeat("0", 64), "old_key_hash": strings.Repeat("0", 64), "user": h.bob.Id, "is_default": true, "version": 7,
	} {
		h.do("PATCH", path, h.asRoot(), object(column, value)).wantField(column, "delete this key")
	}
	h.unchanged(before)
	// a form that was shown no hashes sends none
	h.do("PATCH", path, h.asRoot(), object("key_hash", "", "old_key_hash", "", "user", h.alice.Id, "name", "edited")).want(200)
	if got := h.opens(made.text("apiKey")) + " " + h.opens(rotated.text("apiKey")); got != "200 200" {
		t.Errorf("after an edit of its name the keys get %q", got)
	}
}

func TestAPriceThatCouldNeverHold(t *testing.T) {
	h := newHouse(t)
	add := func(pairs ...any) answer {
		t.Helper()
		return h.do("POST", "/api/collections/prices/records", h.asRoot(), object(append([]any{"provider", "openai", "model", "new", "in_text", 1}, pairs...)...))
	}
	before := h.snapshot(pricesCollection)
	add("model", "gpt-4o*").wantField("model", `choose "prefix" as match`)
	add("model", "gpt-4o*", "match", "exact").wantField("model", "prefix")
	add("model", " gpt-4o").wantField("model", "without")
	add("provider", "openai ").wantField("provider", "without")
	add("in_text", 0).wantField("in_text", "give at least one")
	add("in_cached_audio", 1).wantField("in_cached_audio", "in_audio has none")
	add("feature", "advanced_model").wantField("feature", "add it to a plan first")
	h.unchanged(before)
	add("feature", "advanced_models", "in_cached_text", 1).want(200)
	h.plan("features", []string{"early_access"}).want(200)
	add("feature", "early_access").want(200)
}
