package hooks

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sokuji/internal/apikeys"
)

const keysPath = "/api/user/api-keys"

// newKey makes a named key by its route.
func (h *house) newKey(pairs ...any) answer {
	h.t.Helper()
	return h.do("POST", keysPath, h.asAlice(), object(append([]any{"name", "ci"}, pairs...)...)).want(201)
}

func (h *house) changeKey(id string, pairs ...any) answer {
	h.t.Helper()
	return h.do("PATCH", keysPath+"/"+id, h.asAlice(), object(pairs...))
}

// opens tells what a key gets on a route that every default key opens.
func (h *house) opens(key string) string {
	h.t.Helper()
	return h.do("GET", "/api/wallet/balance", bearer(key), "").outcome()
}

// allFeatures puts alice on a plan with everything.
func (h *house) allFeatures() {
	h.t.Helper()
	id := h.firstID(entitlementsCollection, "subject_id = {:id}", "id", h.alice.Id)
	h.do("PATCH", "/api/collections/entitlements/records/"+id, h.asRoot(), object("plan_id", "unlimited_plan")).want(200)
}

func TestAKeyIsShownOnce(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	made := h.newKey("spendLimitTokens", 500, "dailyBudgetTokens", 100, "monthlyBudgetTokens", 300, "rateLimitRpm", 10, "rateLimitTpm", 9000,
		"allowedModels", []string{"gpt-4o*"}, "allowedIps", []string{"127.0.0.1", "10.1.2.3/8"}, "expiresAt", "2099-01-02T03:04:05Z")
	key := made.text("apiKey")
	if _, err := apikeys.Parse(key); err != nil || made.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("the answer shows %q (%v), cached by %q", key, err, made.header.Get("Cache-Control"))
	}
	if got := h.opens(key); got != "200" {
		t.Errorf("the new key gets %q", got)
	}
	list := h.do("GET", keysPath, h.asAlice(), "").want(200)
	if list.length("apiKeys") != 1 || strings.Contains(string(list.body), key) || strings.Contains(string(list.body), "hash") {
		t.Fatalf("the list shows %s", list.body)
	}
	for path, want := range map[string]any{
		"name": "ci", "prefix": key[:14], "isDefault": false, "disabled": false, "scopes.0": "gateway", "scopes.1": "wallet:read",
		"spendLimitTokens": "500", "spentTokens": "0", "dailyBudgetTokens": "100", "monthlyBudgetTokens": "300",
		"rateLimitRpm": "10", "rateLimitTpm": "9000", "allowedModels.0": "gpt-4o*", "allowedIps.0": "127.0.0.1", "allowedIps.1": "10.0.0.0/8",
		"expiresAt": "2099-01-02T03:04:05.000Z", "lastUsedAt": nil, "oldKeyExpiresAt": nil,
	} {
		got := list.value("apiKeys.0." + path)
		if number, isNumber := got.(interface{ String() string }); isNumber {
			got = number.String()
		}
		if got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

func TestTheDefaultKeyIsInTheList(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	h.defaultKey()
	list := h.do("GET", keysPath, h.asAlice(), "").want(200)
	if list.length("apiKeys") != 1 || list.value("apiKeys.0.isDefault") != true || list.value("apiKeys.0.spendLimitTokens") != nil {
		t.Fatalf("the list shows %s", list.body)
	}
	id := list.text("apiKeys.0.id")
	h.do("DELETE", keysPath+"/"+id, h.asAlice(), "").wantOutcome("400 invalid_request")
	h.do("POST", keysPath+"/"+id+"/rotate", h.asAlice(), "").wantOutcome("400 invalid_request")
	h.changeKey(id, "spendLimitTokens", 5).want(200)
}

func TestABadKeyFormNamesTheField(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("x", 101)
	for body, field := range map[string]string{
		`{}`:                                  "name",
		`{"name":null}`:                       "name",
		`{"name":" "}`:                        "name",
		`{"name":"a\nb"}`:                     "name",
		`{"name":"` + long + `"}`:             "name",
		`{"name":5}`:                          "name",
		`{"name":"a","scopes":[]}`:            "scopes",
		`{"name":"a","scopes":["admin"]}`:     "scopes",
		`{"name":"a","scopes":"gateway"}`:     "scopes",
		`{"name":"a","scopes":null}`:          "scopes",
		`{"name":"a","expiresAt":"tomorrow"}`: "expiresAt",
		`{"name":"a","expiresAt":"2020-01-01T00:00:00Z"}`:     "expiresAt",
		`{"name":"a","expiresAt":"0001-01-01T00:00:00Z"}`:     "expiresAt", // Go's zero time, which is no end
		`{"name":"a","spendLimitTokens":0}`:                   "spendLimitTokens",
		`{"name":"a","spendLimitTokens":-1}`:                  "spendLimitTokens",
		`{"name":"a","spendLimitTokens":1.5}`:                 "spendLimitTokens",
		`{"name":"a","spendLimitTokens":"9"}`:                 "spendLimitTokens",
		`{"name":"a","dailyBudgetTokens":1e3}`:                "dailyBudgetTokens",
		`{"name":"a","monthlyBudgetTokens":1000000000000001}`: "monthlyBudgetTokens",
		`{"name":"a","rateLimitRpm":0}`:                       "rateLimitRpm",
		`{"name":"a","rateLimitTpm":true}`:                    "rateLimitTpm",
		`{"name":"a","allowedModels":["a*b"]}`:                "allowedModels",
		`{"name":"a","allowedModels":[1]}`:                    "allowedModels",
		`{"name":"a","allowedIps":["home"]}`:                  "allowedIps",
		`{"name":"a","allowedIps":["::ffff:0:0/90"]}`:         "allowedIps",
		`{"name":"a","disabled":"yes"}`:                       "disabled",
		`{"name":"a","spendLimit":5}`:                         "spendLimit", // misspelled, it would be no limit
		`{"name":"a","user":"` + h.bob.Id + `"}`:              "user",
		`{"name":"a","key_hash":"x"}`:                         "key_hash",
	} {
		h.do("POST", keysPath, h.asAlice(), body).wantOutcome("400 invalid_request").names(field)
	}
	if got := h.count(keysCollection, "TRUE"); got != 0 {
		t.Errorf("%d keys were made by bad forms", got)
	}
}

func TestNamedKeysNeedTheirFeature(t *testing.T) {
	h := newHouse(t)
	first := h.newKey()
	h.do("POST", keysPath, h.asAlice(), object("name", "second")).wantOutcome("403 forbidden").names(featureManyKeys)
	h.do("DELETE", keysPath+"/"+first.text("id"), h.asAlice(), "").want(200)
	h.newKey()
	h.allFeatures()
	h.newKey()
	h.mustExecute(`INSERT INTO api_keys (id, user, name, prefix, key_hash, scopes, created_at)
		WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < {:most})
		SELECT 'many' || i, {:user}, 'n', 'p', 'h' || i, '[]', '' FROM n`, "user", h.alice.Id, "most", maxNamedKeys)
	h.do("POST", keysPath, h.asAlice(), object("name", "one too many")).wantOutcome("403 forbidden").names("100")
}

// Twenty requests at once are one key, on a plan that has one.
func TestKeysMadeSideBySideStayWithinThePlan(t *testing.T) {
	h := newHouse(t)
	token := h.asAlice()
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { h.do("POST", keysPath, token, object("name", "ci")) })
	}
	group.Wait()
	if got := h.count(keysCollection, "is_default = FALSE"); got != 1 {
		t.Errorf("%d keys were made, want 1", got)
	}
}

func TestAKeyChanges(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	made := h.newKey("spendLimitTokens", 500)
	id, key := made.text("id"), made.text("apiKey")
	changed := h.changeKey(id, "name", "deploy", "scopes", []string{"gateway"}).want(200)
	if changed.text("name") != "deploy" || changed.number("spendLimitTokens") != 500 || strings.Contains(string(changed.body), key) {
		t.Errorf("got %s", changed.body)
	}
	if got := h.opens(key); got != "403 forbidden" {
		t.Errorf("without wallet:read the key gets %q", got)
	}
	h.changeKey(id, "scopes", []string{"wallet:read"}, "spendLimitTokens", nil).want(200)
	if got := h.opens(key); got != "200" {
		t.Errorf("with wallet:read the key gets %q", got)
	}
	if list := h.do("GET", keysPath, h.asAlice(), ""); list.value("apiKeys.0.spendLimitTokens") != nil {
		t.Errorf("null left the limit: %s", list.body)
	}
	h.changeKey(id, "allowedIps", []string{"203.0.113.7"}).want(200)
	if got := h.opens(key); got != "403 forbidden" {
		t.Errorf("from another address the key gets %q", got)
	}
	h.changeKey(id, "allowedIps", []string{"127.0.0.0/8", "::1"}).want(200)
	if got := h.opens(key); got != "200" {
		t.Errorf("from its address the key gets %q", got)
	}
	h.changeKey(id, "name", "").wantOutcome("400 invalid_request").names("name")
	h.changeKey("nothing", "name", "x").wantOutcome("404 not_found")
}

func TestAKeyEndsBeforeTheAnswer(t *testing.T) {
	for name, end := range map[string]func(h *house, id string){
		"disabled": func(h *house, id string) { h.changeKey(id, "disabled", true).want(200) },
		"deleted":  func(h *house, id string) { h.do("DELETE", keysPath+"/"+id, h.asAlice(), "").want(200) },
		"rotated":  func(h *house, id string) { h.do("POST", keysPath+"/"+id+"/rotate", h.asAlice(), "").want(200) },
		"disabled by an admin": func(h *house, id string) {
			h.do("PATCH", "/api/collections/api_keys/records/"+id, h.asRoot(), object("disabled", true)).want(200)
		},
		"deleted by an admin": func(h *house, id string) {
			h.do("DELETE", "/api/collections/api_keys/records/"+id, h.asRoot(), "").want(204)
		},
		"with its user": func(h *house, _ string) {
			h.do("DELETE", "/api/collections/users/records/"+h.alice.Id, h.asRoot(), "").want(204)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			made := h.newKey()
			end(h, made.text("id"))
			if got := h.opens(made.text("apiKey")); got != "401 unauthorized" {
				t.Errorf("the key still gets %q", got)
			}
		})
	}
}

func TestAnOwnerTakesBackTheirOwnNoOnly(t *testing.T) {
	h := newHouse(t)
	made := h.newKey()
	id := made.text("id")
	h.changeKey(id, "disabled", true).want(200)
	h.do("POST", keysPath+"/"+id+"/rotate", h.asAlice(), "").wantOutcome("403 forbidden")
	h.changeKey(id, "disabled", false).want(200)
	if got := h.opens(made.text("apiKey")); got != "200" {
		t.Errorf("the enabled key gets %q", got)
	}
	h.do("PATCH", "/api/collections/api_keys/records/"+id, h.asRoot(), object("disabled", true)).want(200)
	h.changeKey(id, "disabled", false).wantOutcome("403 forbidden")
	h.changeKey(id, "disabled", true).want(200) // is no way around it
	h.changeKey(id, "disabled", false).wantOutcome("403 forbidden")
}

func TestRotationWithGrace(t *testing.T) {
	roads := map[string]struct{ path, key string }{}
	h := newHouse(t)
	h.mint(h.alice, 1000)
	made := h.newKey("spendLimitTokens", 100)
	roads["a named key"] = struct{ path, key string }{keysPath + "/" + made.text("id") + "/rotate", made.text("apiKey")}
	roads["the default key"] = struct{ path, key string }{"/api/user/api-key/rotate", h.defaultKey()}
	for name, road := range roads {
		first := road.key
		second := h.do("POST", road.path, h.asAlice(), object("graceSeconds", 60)).want(200).text("apiKey")
		if first == second || h.opens(first) != "200" || h.opens(second) != "200" {
			t.Errorf("%s: in its grace the old key gets %q, the new one %q", name, h.opens(first), h.opens(second))
		}
		third := h.do("POST", road.path, h.asAlice(), object("graceSeconds", 60)).want(200).text("apiKey")
		if got := h.opens(first) + " " + h.opens(second) + " " + h.opens(third); got != "401 unauthorized 200 200" {
			t.Errorf("%s: after another rotation they get %q", name, got)
		}
		fourth := h.do("POST", road.path, h.asAlice(), "").want(200).text("apiKey")
		if got := h.opens(second) + " " + h.opens(third) + " " + h.opens(fourth); got != "401 unauthorized 401 unauthorized 200" {
			t.Errorf("%s: after a rotation without grace they get %q", name, got)
		}
		for _, bad := range []string{`{"graceSeconds":-1}`, `{"graceSeconds":604801}`, `{"graceSeconds":"60"}`, `{"graceSeconds":1.5}`} {
			h.do("POST", road.path, h.asAlice(), bad).wantOutcome("400 invalid_request").names("graceSeconds")
		}
	}
}

func TestTheGraceEnds(t *testing.T) {
	h := newHouse(t)
	made := h.newKey()
	old, id := made.text("apiKey"), made.text("id")
	rotated := h.do("POST", keysPath+"/"+id+"/rotate", h.asAlice(), object("graceSeconds", 3600)).want(200)
	if rotated.text("oldKeyExpiresAt") == "" {
		t.Errorf("the row does not say when the old key ends: %s", rotated.body)
	}
	key, err := apikeys.Parse(old)
	if err != nil {
		t.Fatal(err)
	}
	check := func(at time.Time) bool { _, ok := h.server.keys.checker.Check(key, at); return ok }
	if !check(time.Now()) || check(time.Now().Add(time.Hour+time.Second)) {
		t.Error("the old key does not end with its grace")
	}
	h.changeKey(id, "disabled", true).want(200)
	if check(time.Now()) {
		t.Error("disabling a key leaves the old one open")
	}
}

func TestKeysAreBackAfterAStart(t *testing.T) {
	h := newHouse(t)
	made := h.newKey("allowedIps", []string{"203.0.113.7"})
	h.do("POST", keysPath+"/"+made.text("id")+"/rotate", h.asAlice(), object("graceSeconds", 3600)).want(200)
	again := newKeyCache(h.app)
	if err := again.load(); err != nil {
		t.Fatal(err)
	}
	key, _ := apikeys.Parse(made.text("apiKey"))
	grant, ok := again.checker.Check(key, time.Now())
	if !ok || grant.Bounds().Addresses.Allow("127.0.0.1") || again.checker.Len() != h.server.keys.checker.Len() {
		t.Errorf("after a start the old key has %+v (%v)", grant, ok)
	}
}

// A row that makes no sense opens nothing, and no edit can make one.
func TestAnUnreadableKeyOpensNothing(t *testing.T) {
	h := newHouse(t)
	made := h.newKey()
	id := made.text("id")
	for column, value := range map[string]string{"scopes": `["admin"]`, "allowed_models": `["a*b"]`, "allowed_ips": `["home"]`, "old_key_hash": "x"} {
		h.mustExecute("UPDATE api_keys SET {{"+column+"}} = {:value} WHERE id = {:id}", "value", value, "id", id)
		h.server.keys.refresh(id)
		if got := h.opens(made.text("apiKey")); got != "401 unauthorized" {
			t.Errorf("with %s %s the key gets %q", column, value, got)
		}
		h.mustExecute(`UPDATE api_keys SET scopes = '["wallet:read"]', allowed_models = NULL, allowed_ips = 'null', old_key_hash = '' WHERE id = {:id}`, "id", id)
		h.server.keys.refresh(id)
		if got := h.opens(made.text("apiKey")); got != "200" {
			t.Errorf("the mended key gets %q", got)
		}
	}
	for column, value := range map[string]any{
		"allowed_models": []string{"a*b"}, "allowed_ips": []string{"home"}, "scopes": []string{"admin"}, "spend_limit_tokens": -1,
	} {
		h.do("PATCH", "/api/collections/api_keys/records/"+id, h.asRoot(), object(column, value)).wantOutcome("400")
	}
}

// An admin's edit that was begun before a rotation brings no dead key back.
func TestAStaleEditBringsNoKeyBack(t *testing.T) {
	h := newHouse(t)
	made := h.newKey()
	stale, err := h.app.FindRecordById(keysCollection, made.text("id"))
	if err != nil {
		t.Fatal(err)
	}
	next := h.do("POST", keysPath+"/"+stale.Id+"/rotate", h.asAlice(), "").want(200).text("apiKey")
	stale.Set("name", "edited")
	if err := h.app.Save(stale); err == nil {
		t.Error("the edit was saved")
	}
	if got := h.opens(made.text("apiKey")) + " " + h.opens(next); got != "401 unauthorized 200" {
		t.Errorf("the old key and the new one get %q", got)
	}
}

func TestHashesAreNotShown(t *testing.T) {
	h := newHouse(t)
	id := h.newKey().text("id")
	h.do("POST", keysPath+"/"+id+"/rotate", h.asAlice(), object("graceSeconds", 60)).want(200)
	for name, as := range map[string]credential{"the owner": h.asAlice(), "a superuser": h.asRoot()} {
		shown := h.do("GET", "/api/collections/api_keys/records/"+id, as, "").want(200)
		if strings.Contains(string(shown.body), "hash") {
			t.Errorf("%s sees %s", name, shown.body)
		}
	}
}

func TestTheLastUseIsWrittenLater(t *testing.T) {
	h := newHouse(t)
	made := h.newKey()
	for range 3 {
		h.opens(made.text("apiKey"))
	}
	if pending := len(h.server.keys.uses.pending); pending != 1 {
		t.Fatalf("%d uses wait, want one for each key", pending)
	}
	if err := h.server.keys.uses.write(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := h.do("GET", keysPath, h.asAlice(), "").want(200)
	at, err := time.Parse(time.RFC3339, list.text("apiKeys.0.lastUsedAt"))
	if err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("the last use is %s (%v)", list.text("apiKeys.0.lastUsedAt"), err)
	}
	if err := h.server.keys.uses.close(); err != nil {
		t.Fatal(err)
	}
	if h.opens(made.text("apiKey")); h.server.keys.uses.pending != nil {
		t.Error("a use was noted after the end")
	}
}

func TestGuessingKeysIsSlowedDown(t *testing.T) {
	h := newHouse(t, "AUTH_RATE_LIMIT", "100")
	h.mint(h.alice, 1000)
	key := h.defaultKey()
	unknown := bearer("sk-sokuji-" + strings.Repeat("0", 49))
	for i := range unknownKeysPerMinute {
		as := unknown
		if i%2 == 0 {
			as = xAPIKey("sk-sokuji-guess")
		}
		h.do("GET", "/v1/models", as, "").wantOutcome("401 invalid_api_key")
	}
	refused := h.do("GET", "/v1/models", unknown, "").wantOutcome("429 rate_limit_exceeded")
	if refused.header.Get("Retry-After") == "" {
		t.Error("a refusal does not say when to come back")
	}
	h.do("GET", "/api/wallet/balance", unknown, "").wantOutcome("429 rate_limited")
	h.do("GET", "/v1/models", bearer("sk-proj-of-somebody-else"), "").wantOutcome("429 rate_limit_exceeded")
	if got := h.opens(key); got != "200" {
		t.Errorf("a neighbour's good key gets %q", got)
	}
	h.do("GET", "/v1/models", nobody, "").wantOutcome("401 invalid_api_key") // nothing was guessed
}

func TestAKeySpendsWithinItsLimit(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 10_000)
	made := h.newKey("scopes", []string{"wallet:charge"}, "spendLimitTokens", 100)
	key := bearer(made.text("apiKey"))
	h.do("POST", "/api/wallet/use", key, object("amount", 60)).want(200)
	refused := h.do("POST", "/api/wallet/use", key, object("amount", 41)).wantOutcome("403 spend_limit_reached")
	if refused.text("error") != "Spend limit reached" {
		t.Errorf("got %s", refused.body)
	}
	hold := h.do("POST", "/api/wallet/holds", key, object("amount", 30)).want(201).text("hold.id")
	h.do("POST", "/api/wallet/holds/"+hold+"/extend", key, object("amount", 11)).wantOutcome("403 spend_limit_reached")
	h.do("POST", "/api/wallet/holds/"+hold+"/settle", key, object("amount", 20)).want(200)
	batch := h.do("POST", "/api/wallet/use/batch", key, object("uses", []map[string]any{{"amount": 15}, {"amount": 15}})).want(200)
	if batch.value("results.0.success") != true || batch.text("results.1.code") != "spend_limit_reached" {
		t.Errorf("the batch answered %s", batch.body)
	}
	list := h.do("GET", keysPath, h.asAlice(), "").want(200)
	if list.number("apiKeys.0.spentTokens") != 95 || list.number("apiKeys.0.spentTodayTokens") != 95 || list.number("apiKeys.0.heldTokens") != 0 {
		t.Errorf("the list shows %s", list.body)
	}
	usage := h.do("GET", "/api/wallet/usage", h.asAlice(), "").want(200)
	if usage.text("usage.0.apiKeyId") != made.text("id") {
		t.Errorf("the usage row names %q", usage.text("usage.0.apiKeyId"))
	}
	h.changeKey(made.text("id"), "spendLimitTokens", 1000).want(200)
	h.do("POST", "/api/wallet/use", key, object("amount", 500)).want(200)
	h.changeKey(made.text("id"), "dailyBudgetTokens", 600).want(200)
	h.do("POST", "/api/wallet/use", key, object("amount", 6)).wantOutcome("403 spend_limit_reached")
	h.do("POST", "/api/wallet/use", key, object("amount", 5)).want(200)
}

// Requests side by side never pass a limit together.
func TestCallsSideBySideStayWithinTheLimit(t *testing.T) {
	h := newHouse(t, "API_RATE_LIMIT", "0")
	h.mint(h.alice, 1_000_000)
	key := bearer(h.newKey("scopes", []string{"wallet:charge"}, "spendLimitTokens", 1000).text("apiKey"))
	var group sync.WaitGroup
	slots := make(chan struct{}, 64)
	for range 500 {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			answer := h.do("POST", "/api/wallet/use", key, object("amount", 7))
			if answer.status != http.StatusOK && answer.status != http.StatusForbidden {
				t.Errorf("got %d: %s", answer.status, answer.body)
			}
		})
	}
	group.Wait()
	if got := 1_000_000 - h.balance(h.alice); got != 994 {
		t.Errorf("500 uses of 7 spent %d, want 994", got)
	}
}
