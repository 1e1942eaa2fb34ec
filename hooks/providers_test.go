package hooks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sokuji/internal/apikeys"
)

// providerHouse is a house without a provider, where a model has a price.
func providerHouse(t *testing.T, settings ...string) *gatewayHouse {
	t.Helper()
	h := newHouse(t, append([]string{"GATEWAY_ALLOW_PRIVATE", "true"}, settings...)...)
	g := &gatewayHouse{house: h, up: newUpstream(t, completion)}
	g.priceFor("openai", testModel)
	h.mint(h.alice, 1_000_000)
	g.key = h.key(apikeys.ScopeGateway)
	return g
}

// provide adds a provider in the dashboard's way and returns its path.
func (g *gatewayHouse) provide(up *upstream, pairs ...any) string {
	g.t.Helper()
	id := g.do("POST", "/api/collections/providers/records", g.asRoot(), object(append([]any{
		"name", "main", "kind", "openai", "enabled", true, "base_url", up.URL + "/v1", "api_key", providerKey,
	}, pairs...)...)).want(200).text("id")
	return "/api/collections/providers/records/" + id
}

func (g *gatewayHouse) call() answer { g.t.Helper(); return g.post("/v1/chat/completions", chat()) }

func TestAProviderIsInForceAtOnce(t *testing.T) {
	g := providerHouse(t)
	g.call().wantOutcome("404 model_not_found")
	path := g.provide(g.up)
	g.call().want(200)
	g.do("PATCH", path, g.asRoot(), object("enabled", false)).want(200)
	g.call().wantOutcome("404 model_not_found")
	g.do("PATCH", path, g.asRoot(), object("enabled", true, "models", []string{"other-*"})).want(200)
	g.call().wantOutcome("404 model_not_found")
	g.do("PATCH", path, g.asRoot(), object("models", []string{"test-*"}, "model_map", map[string]string{testModel: "deployment"})).want(200)
	g.call().want(200)
	if !strings.Contains(string(g.up.last(t).body), `"model":"deployment"`) {
		t.Errorf("the provider saw %s", g.up.last(t).body)
	}
	g.do("DELETE", path, g.asRoot(), "").want(204)
	g.call().wantOutcome("404 model_not_found")
}

// The key is stored encrypted, shown to nobody, and kept when a form is saved.
func TestAProvidersKeyIsWriteOnly(t *testing.T) {
	g := providerHouse(t)
	path := g.provide(g.up)
	stored := func() string { return g.columns("providers", "api_key")[0] }
	first := stored()
	if first == "" || strings.Contains(first, "canary") {
		t.Fatalf("the stored key is %q", first)
	}
	for _, try := range []string{path, path + "?fields=*,api_key", "/api/collections/providers/records?filter=api_key!=''", "/api/collections/providers/records"} {
		body := string(g.do("GET", try, g.asRoot(), "").body)
		if strings.Contains(body, "canary") || strings.Contains(body, first) || strings.Contains(body, "api_key") && !strings.Contains(try, "filter") {
			t.Errorf("%s shows %s", try, body)
		}
	}
	g.do("PATCH", path, g.asRoot(), object("api_key", "", "weight", 2)).want(200)
	if stored() != first {
		t.Error("an empty key replaced the stored one")
	}
	g.call().want(200)
	if got := g.up.last(t).header.Get("Authorization"); got != "Bearer "+providerKey {
		t.Errorf("the provider saw %q", got)
	}
	g.do("PATCH", path, g.asRoot(), object("api_key", " another-key ")).want(200)
	g.call().want(200)
	if got := g.up.last(t).header.Get("Authorization"); got != "Bearer another-key" {
		t.Errorf("the provider saw %q", got)
	}
	t.Setenv("TEST_API_KEY", "key-of-environment")
	if got := g.do("PATCH", path, g.asRoot(), object("key_env", "TEST_API_KEY")).want(200); got.text("key_env") != "TEST_API_KEY" || stored() != "" {
		t.Errorf("beside key_env a key is stored: %s", got.body)
	}
	g.call().want(200)
	if got := g.up.last(t).header.Get("Authorization"); got != "Bearer key-of-environment" {
		t.Errorf("the provider saw %q", got)
	}
	g.do("PATCH", path, g.asRoot(), object("key_env", "ABSENT_API_KEY")).want(200)
	g.call().wantOutcome("502 provider_error")
}

// A stored key goes to no server but the one that it was entered for.
func TestAKeptKeyStaysWithItsServer(t *testing.T) {
	g := providerHouse(t)
	path := g.provide(g.up)
	elsewhere := newUpstream(t, completion)
	for _, change := range []string{
		object("base_url", elsewhere.URL+"/v1"), object("base_url", ""), object("kind", "anthropic", "base_url", ""),
		object("base_url", strings.Replace(g.up.URL, "http:", "https:", 1)), object("base_url", elsewhere.URL, "api_key", " "),
	} {
		g.do("PATCH", path, g.asRoot(), change).want(400).names("api_key")
	}
	g.call().want(200)
	if elsewhere.count() != 0 {
		t.Error("the kept key went to another server")
	}
	g.do("PATCH", path, g.asRoot(), object("base_url", g.up.URL+"/v2")).want(200) // the same server
	g.do("PATCH", path, g.asRoot(), object("base_url", elsewhere.URL, "api_key", "its-own-key")).want(200)
	g.call().want(200)
	if got := elsewhere.last(t).header.Get("Authorization"); got != "Bearer its-own-key" {
		t.Errorf("the other server saw %q", got)
	}
	t.Setenv("TEST_API_KEY", "key-of-environment")
	g.do("PATCH", path, g.asRoot(), object("base_url", g.up.URL, "key_env", "TEST_API_KEY")).want(200)
	g.do("PATCH", path, g.asRoot(), object("base_url", elsewhere.URL)).want(200) // no key is stored
}

// With another secret the server starts, and the provider says at its use what is
// wrong; another provider takes over.
func TestAKeyOfAnotherSecret(t *testing.T) {
	g := providerHouse(t)
	g.provide(g.up)
	g.mustExecute(`UPDATE providers SET api_key = 'v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'`)
	if err := g.server.loadProviders(); err != nil {
		t.Fatal(err)
	}
	g.call().wantOutcome("502 provider_error")
	if g.up.count() != 0 || g.settled().holdState != "released" {
		t.Errorf("the provider was called %d times, the hold is %s", g.up.count(), g.settled().holdState)
	}
	second := newUpstream(t, completion)
	g.provide(second, "name", "second", "priority", 5)
	g.call().want(200)
	if second.count() != 1 {
		t.Error("the second provider did not take over")
	}
}

func TestFailoverAndWhoIsCharged(t *testing.T) {
	g := providerHouse(t)
	broken := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	g.provide(broken, "name", "first")
	g.provide(g.up, "name", "second", "priority", 1)
	g.call().want(200)
	if broken.count() != 1 || g.up.count() != 1 {
		t.Errorf("the calls are %d and %d", broken.count(), g.up.count())
	}
	g.wantSettlement(settlement{holdState: "settled", entries: 1, charged: ordinaryCharge, settledBy: "provider"})
	usage := g.do("GET", "/api/wallet/usage?userId="+g.alice.Id, g.asRoot(), "").want(200)
	if usage.text("usage.0.metadata.upstream") != "second" || usage.text("usage.0.provider") != "openai" {
		t.Errorf("the usage row is %s", usage.body)
	}
	// naming one leaves no other
	g.post("/v1/chat/completions", chat("model", "first/"+testModel)).wantOutcome("502 provider_error")
	g.post("/v1/chat/completions", chat("model", "second/"+testModel)).want(200)
	if !strings.Contains(string(g.up.last(t).body), `"model":"`+testModel+`"`) {
		t.Errorf("the provider saw %s", g.up.last(t).body)
	}
}

func TestTheProvidersForm(t *testing.T) {
	g := providerHouse(t)
	for column, value := range map[string]any{
		"name": "Not A Name", "kind": "unknown", "base_url": "ftp://x.example", "models": map[string]any{"a": 1}, "model_map": []string{"a"},
		"key_env": "SOKUJI_SECRET", "weight": -1, "total_timeout_seconds": 100_000,
	} {
		got := g.do("POST", "/api/collections/providers/records", g.asRoot(), object("name", "x", "kind", "openai", column, value)).want(400)
		if got.value("data."+column) == nil {
			t.Errorf("%s: %s", column, got.body)
		}
	}
	g.do("POST", "/api/collections/providers/records", g.asRoot(), object("name", "x", "kind", "compatible")).want(400).names("base_url")
	g.provide(g.up)
	g.do("POST", "/api/collections/providers/records", g.asRoot(), object("name", "main", "kind", "openai")).want(400).names("name")
}

// No name of a provider leads into a private network unless the operator allows it,
// and what is there is not told.
func TestPrivateNetworksAreClosed(t *testing.T) {
	g := providerHouse(t, "GATEWAY_ALLOW_PRIVATE", "false")
	path := g.provide(g.up)
	for _, address := range []string{g.up.URL, "http://localhost" + g.up.URL[len("http://127.0.0.1"):], "http://169.254.169.254", "http://[::1]:1", "http://10.0.0.1", "http://0.0.0.0:1"} {
		g.do("PATCH", path, g.asRoot(), object("base_url", address, "api_key", providerKey)).want(200)
		got := g.call().wantOutcome("502 provider_error")
		if strings.Contains(string(got.body), "127.0.0.1") || strings.Contains(string(got.body), "network") {
			t.Errorf("%s: %s", address, got.body)
		}
	}
	if g.up.count() != 0 {
		t.Errorf("the provider was reached %d times", g.up.count())
	}
}

// A provider that sends calls on to another address is not followed.
func TestRedirectsAreNotFollowed(t *testing.T) {
	g := providerHouse(t)
	target := newUpstream(t, completion)
	g.provide(g.up)
	for _, status := range []int{301, 302, 307, 308} {
		g.up.become(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, status) })
		g.call().wantOutcome("502 provider_error")
	}
	if target.count() != 0 {
		t.Error("the redirect was followed")
	}
}

// A row takes the place of the environment's provider of its name.
func TestARowBeatsTheEnvironment(t *testing.T) {
	g := newGatewayHouse(t, completion)
	g.call().want(200)
	other := newUpstream(t, completion)
	path := g.provide(other, "name", "openai")
	g.call().want(200)
	if other.count() != 1 || g.up.count() != 1 {
		t.Errorf("the calls are %d and %d", other.count(), g.up.count())
	}
	g.do("PATCH", path, g.asRoot(), object("enabled", false)).want(200)
	g.call().wantOutcome("404 model_not_found")
}

func TestContentsAreKeptOnlyWhenTheOperatorSaysSo(t *testing.T) {
	for _, on := range []bool{false, true} {
		g := newGatewayHouse(t, completion, "GATEWAY_LOG_CONTENT", fmt.Sprint(on))
		g.post("/v1/chat/completions", chat("user", strings.Repeat("\x01canary-content", 5_000))).want(200)
		rows := strings.Join(g.dump(g.app.NonconcurrentDB(), "usage_logs"), "")
		if strings.Contains(rows, "canary-content") != on {
			t.Errorf("with the switch %v the rows are %.3000s", on, rows)
		}
		if on != strings.Contains(rows, `\"answer\"`) {
			t.Errorf("with the switch %v the answer is there, or not: %.300s", on, rows)
		}
	}
}

// The environment's key of a provider goes to that provider's server and to no other,
// whoever edits a row.
func TestTheEnvironmentsKeyStaysWithItsServer(t *testing.T) {
	up := newUpstream(t, completion)
	g := providerHouse(t, "OPENAI_API_KEY", providerKey, "OPENAI_BASE_URL", up.URL+"/v1")
	t.Setenv("OPENAI_API_KEY", providerKey)
	t.Setenv("ANTHROPIC_API_KEY", providerKey)
	thief := newUpstream(t, completion)
	add := func(pairs ...any) answer {
		t.Helper()
		return g.do("POST", "/api/collections/providers/records", g.asRoot(), object(append([]any{
			"name", "mine", "kind", "compatible", "enabled", true, "price_provider", "openai",
		}, pairs...)...))
	}
	add("key_env", "OPENAI_API_KEY", "base_url", thief.URL+"/v1").wantField("key_env", "name that server in base_url")
	add("key_env", "OPENAI_API_KEY", "base_url", strings.Replace(up.URL, "http:", "https:", 1)).wantField("key_env", up.URL)
	add("key_env", "OPENAI_API_KEY", "kind", "openai").wantField("key_env", up.URL) // the vendor's own, which is not ours
	add("key_env", "ANTHROPIC_API_KEY", "base_url", thief.URL).wantField("key_env", "https://api.anthropic.com")
	row := add("key_env", "OPENAI_API_KEY", "base_url", up.URL+"/elsewhere").want(200)
	add("name", "claude", "kind", "anthropic", "key_env", "ANTHROPIC_API_KEY").want(200)

	path := "/api/collections/providers/records/" + row.text("id")
	g.do("PATCH", path, g.asRoot(), object("base_url", thief.URL)).wantField("key_env", up.URL)
	g.post("/v1/chat/completions", chat("model", "mine/"+testModel)).want(200)
	if got := up.last(t).header.Get("Authorization"); got != "Bearer "+providerKey {
		t.Errorf("the server was sent %q", got)
	}
	// a row that came by another way, or from another environment
	g.mustExecute("UPDATE providers SET base_url = {:url} WHERE id = {:id}", "url", thief.URL, "id", row.text("id"))
	if err := g.server.loadProviders(); err != nil {
		t.Fatal(err)
	}
	g.post("/v1/chat/completions", chat("model", "mine/"+testModel)).wantOutcome("502 provider_error")
	if thief.count() != 0 {
		t.Errorf("another server had %d calls", thief.count())
	}
}
