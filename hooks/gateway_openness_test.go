package hooks

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"sokuji/internal/apikeys"
	"sokuji/internal/fakeprovider"
)

// A price by the beginning of a name also matches models that speak. Their sound is
// not sold as text.
func TestSoundIsNotSoldAsText(t *testing.T) {
	g := newGatewayHouse(t, completion)
	g.priceFor("openai", "family-", "match", "prefix")
	heard := []map[string]any{{"role": "user", "content": []map[string]any{
		{"type": "input_audio", "input_audio": map[string]any{"data": "UklG", "format": "wav"}},
	}}}
	voice := []string{"text", "audio"}
	refuse := func(path, body, field string) {
		t.Helper()
		got := g.post(path, body).wantOutcome("400 invalid_request").names("has no rate for")
		if got.text("error.param") != field || !strings.Contains(got.text("error.message"), field) {
			t.Errorf("%s: %s does not name %s", path, got.body, field)
		}
	}
	refuse("/v1/chat/completions", chat("model", "family-audio", "modalities", voice), "modalities")
	refuse("/v1/chat/completions", chat("model", "family-audio", "messages", heard), "input_audio")
	refuse("/v1/responses", object("model", "family-audio", "input", heard), "input_audio")
	refuse("/v1/audio/speech", object("model", "family-tts", "input", "hello", "voice", "alloy"), "model")
	body, kind := upload(t, 10, "model", "family-transcribe")
	g.do("POST", "/v1/audio/transcriptions", bearer(g.key), body, "Content-Type", kind).wantOutcome("400 invalid_request").names("in_audio")
	if g.up.count() != 0 {
		t.Fatalf("%d calls reached the provider", g.up.count())
	}
	g.post("/v1/chat/completions", chat("model", "family-audio", "modalities", []string{"text"})).want(200)
	g.priceFor("openai", "family-audio", "in_audio", testInRate, "out_audio", testOutRate)
	g.post("/v1/chat/completions", chat("model", "family-audio", "modalities", voice, "messages", heard)).want(200)
}

func TestASessionIsNotSoldAsText(t *testing.T) {
	g := newRealtimeHouse(t)
	g.priceFor("openai", "family-", "match", "prefix")
	k, err := g.dial("/v1/realtime?model=family-realtime", bearer(g.key))
	if err != nil {
		t.Fatal(err)
	}
	k.wantEnd("invalid_request", websocket.StatusPolicyViolation)

	// nor what a session has written down by a model of the family
	k = g.talk()
	k.until("session.created")
	k.say(`{"type":"session.update","session":{"audio":{"input":{"transcription":{"model":"family-transcribe"}}}}}`)
	if refused := k.until("error"); !strings.Contains(refused, "in_audio") {
		t.Errorf("the client reads %s", refused)
	}
	k.socket.Close(websocket.StatusNormalClosure, "")
	g.wantCharges("")
}

// provideDear adds a second provider of the tests' model, whose price has a feature,
// and whose row comes first.
func provideDear(g *gatewayHouse) *upstream {
	g.t.Helper()
	g.priceFor("dear", testModel, "feature", "advanced_models", "in_audio", testInRate)
	up := newUpstream(g.t, completion)
	g.provide(up, "name", "dear", "price_provider", "dear")
	return up
}

// A provider that the plan is not open to is left out; the others answer.
func TestTheOpenProvidersAnswer(t *testing.T) {
	g := newGatewayHouse(t, completion)
	dear := provideDear(g)
	g.provide(g.up, "name", "plain", "price_provider", "openai")
	for range 3 {
		g.call().want(200)
	}
	g.post("/v1/chat/completions", chat("model", "dear/"+testModel)).wantOutcome("403 feature_required")
	if dear.count() != 0 {
		t.Errorf("the provider that the plan is not open to had %d calls", dear.count())
	}
	if shown := g.do("GET", "/v1/models", bearer(g.key), "").want(200); !strings.Contains(string(shown.body), `"`+testModel+`"`) {
		t.Errorf("the model is not listed: %s", shown.body)
	}
	g.plan("features", []string{"advanced_models"}).want(200)
	g.post("/v1/chat/completions", chat("model", "dear/"+testModel)).want(200)
	if dear.count() != 1 {
		t.Errorf("the provider that the plan came to be open to had %d calls", dear.count())
	}
}

// A list of models takes a model with its provider before it, however it is asked
// for, and opens that provider only.
func TestAModelIsListedWithItsProvider(t *testing.T) {
	g := newRealtimeHouse(t)
	g.up.become(completion)
	other := newUpstream(t, completion)
	g.provide(other, "name", "other", "price_provider", "openai")
	keyFor := func(models ...string) string {
		key, _ := g.keyWith(map[string]any{"scopes": []apikeys.Scope{apikeys.ScopeGateway}, "allowed_models": models})
		return key
	}
	ask := func(key, model, want string) {
		t.Helper()
		g.do("POST", "/v1/chat/completions", bearer(key), chat("model", model)).wantOutcome(want)
	}
	listed := func(key string) (names []string) {
		t.Helper()
		var list modelList
		if err := json.Unmarshal(g.do("GET", "/v1/models", bearer(key), "").want(200).body, &list); err != nil {
			t.Fatal(err)
		}
		for _, model := range list.Data {
			names = append(names, model.ID)
		}
		return names
	}
	for _, pattern := range []string{"openai/" + testModel, "openai/test-*"} {
		key := keyFor(pattern)
		ask(key, testModel, "200")
		ask(key, "openai/"+testModel, "200")
		ask(key, "other/"+testModel, "403 model_not_allowed")
		ask(key, "gpt-4o", "403 model_not_allowed")
	}
	if other.count() != 0 {
		t.Errorf("a provider that the keys do not name had %d calls", other.count())
	}
	if got := listed(keyFor("openai/" + testModel)); len(got) != 1 || got[0] != testModel {
		t.Errorf("the key lists %v", got)
	}
	bare := keyFor(testModel)
	ask(bare, testModel, "200")
	ask(bare, "other/"+testModel, "200")

	g.plan("allowed_models", []string{"openai/" + testModel}).want(200)
	ask(g.key, testModel, "200")
	ask(g.key, "other/"+testModel, "403 model_not_allowed")

	g.plan("allowed_models", nil).want(200)
	g.up.become(fakeprovider.Handler().ServeHTTP)
	k, err := g.dial("/v1/realtime?model="+speaker, bearer(keyFor("openai/"+speaker)))
	if err != nil {
		t.Fatal(err)
	}
	k.until("session.created")
	k.socket.Close(websocket.StatusNormalClosure, "")
}
