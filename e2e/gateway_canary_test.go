package e2e

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"sokuji/e2e/testserver"
	"sokuji/internal/fakeprovider"
)

const (
	canaryOpenAI    = "sk-CanaryOpenAIKey4Rt8Vb2Nm6Qw"
	canaryAnthropic = "sk-ant-CanaryAnthropicKey7Yh3Jk"
	canaryStored    = "sk-CanaryStoredKey5Gd9Lp1Xz3Ca"
	canaryNamed     = "sk-CanaryNamedKey8Bv4Mn2Ks6Tf"
	canaryForeign   = "sk-CanaryForeignKey1Wq5Er9Ty3Ui"
)

// gatewayModels are the models of the canary's tour, by the provider that has a
// price for them.
var gatewayModels = map[string]string{
	"canary-gpt": "openai", "canary-claude": "anthropic", "canary-stored": "stored", "canary-named": "named",
}

// gatewayTour sends secrets through every route of the gateway, in every place and
// with every kind of failure, and keeps what was answered.
type gatewayTour struct {
	*tour
	fake    *httptest.Server
	answers []byte
}

// Whatever a client sends and wherever a call fails: no key of a provider or of a
// user, no session token and no password is in the output, in a file, in an answer
// or in what another provider was sent.
func TestNoSecretLeavesTheGateway(t *testing.T) {
	fake := httptest.NewServer(fakeprovider.Handler())
	t.Cleanup(fake.Close)
	server := testserver.Start(t, testserver.Options{Env: []string{
		"SOKUJI_SECRET=" + canarySecret, "GATEWAY_ALLOW_PRIVATE=true", "CANARY_API_KEY=" + canaryNamed,
		"OPENAI_API_KEY=" + canaryOpenAI, "OPENAI_BASE_URL=" + fake.URL + "/v1",
		"ANTHROPIC_API_KEY=" + canaryAnthropic, "ANTHROPIC_BASE_URL=" + fake.URL,
	}})
	v := &gatewayTour{fake: fake, tour: &tour{t: t, server: server, secrets: map[string]string{
		"SOKUJI_SECRET": canarySecret, "a password": canaryRight, "a foreign key": canaryForeign,
		"OPENAI_API_KEY": canaryOpenAI, "ANTHROPIC_API_KEY": canaryAnthropic, "a stored key": canaryStored, "a key named by a variable": canaryNamed,
	}}}
	v.run()

	t.Run("in answers", func(t *testing.T) { v.searchAnswers(t) })
	t.Run("while the server runs", func(t *testing.T) { v.search(t, nil) })
	if exitCode, err := server.Stop(); err != nil || exitCode != 0 {
		t.Fatalf("the server ended with exit code %d, %v", exitCode, err)
	}
	t.Run("after the request log was written", func(t *testing.T) { v.search(t, nil) })
	t.Logf("%d secrets of %d requests", len(v.secrets), v.requests)
}

func (v *gatewayTour) run() {
	root := superuserToken(v.t, v.server)
	v.providers(root)
	session := v.mustVisit("a session token", "token",
		post("/api/auth/sign-up/email", "", map[string]string{"name": "Canary", "email": "canary@example.com", "password": canaryRight}))
	jwt := v.mustVisit("a JWT", "token",
		post("/api/collections/users/auth-with-password", "", map[string]string{"identity": "canary@example.com", "password": canaryRight}))
	key, revoked := v.keys(root, session)
	v.secrets["the superuser's JWT"] = root
	callers := []string{key, session, jwt, revoked, root, canaryForeign, canaryRight}

	for _, switches := range []string{
		"", "status=401", "status=403", "status=429", "status=500", "cut=1", "fail=1", "usage=missing", "usage=wrong", "nodone", "gzip",
	} {
		v.set("words=3," + switches)
		v.calls(key)
	}
	v.set("words=3")
	for _, caller := range callers {
		v.calls(caller)
		v.headers(caller)
		v.bodies(key, caller)
		v.models(key, caller)
		v.sockets(caller)
		v.reads(caller)
	}
}

// providers adds one whose key is stored, and one whose key a variable names.
func (v *gatewayTour) providers(root string) {
	for _, row := range []map[string]any{
		{"name": "stored", "kind": "compatible", "base_url": v.fake.URL + "/v1", "api_key": canaryStored, "enabled": true, "models": []string{"canary-stored"}},
		{"name": "named", "kind": "compatible", "base_url": v.fake.URL + "/v1", "key_env": "CANARY_API_KEY", "enabled": true, "models": []string{"canary-named"}},
	} {
		v.must(post("/api/collections/providers/records", root, row))
	}
	for model, provider := range gatewayModels {
		v.must(post("/api/collections/prices/records", root, map[string]any{
			"provider": provider, "model": model, "in_text": 1_000_000, "out_text": 1_000_000, "in_audio": 1_000_000, "out_audio": 1_000_000,
			"in_image": 1_000_000, "in_cached_text": 1_000_000, "milliseconds": 1_000,
		}))
	}
	answer := v.visit(testserver.Request{Path: "/api/collections/providers/records", Token: root})
	v.answers = append(v.answers, answer.Body...)
}

// keys makes the default key, and a named one that is deleted again.
func (v *gatewayTour) keys(root, session string) (key, revoked string) {
	var profile struct {
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	if err := v.visit(testserver.Request{Path: "/api/user/profile", Token: session}).Decode(&profile); err != nil {
		v.t.Fatal(err)
	}
	v.must(post("/api/wallet/mint", root, map[string]any{"userId": profile.User.ID, "planId": "unlimited_plan", "amountCents": 99_999}))
	key = v.mustVisit("an API key", "apiKey", testserver.Request{Path: "/api/user/api-key", Token: session})
	var made struct {
		ID     string `json:"id"`
		APIKey string `json:"apiKey"`
	}
	answer := v.visit(post("/api/user/api-keys", session, map[string]any{"name": "canary", "scopes": []string{"gateway"}}))
	if err := answer.Decode(&made); err != nil || made.APIKey == "" {
		v.t.Fatalf("api-keys answers %d %s", answer.Status, answer.Body)
	}
	v.secrets["a revoked key"] = made.APIKey
	v.visit(testserver.Request{Method: http.MethodDelete, Path: "/api/user/api-keys/" + made.ID, Token: session})
	return key, made.APIKey
}

func (v *gatewayTour) must(r testserver.Request) {
	v.t.Helper()
	if answer := v.visit(r); answer.Status >= http.StatusMultipleChoices {
		v.t.Fatalf("%s answers %d: %s", r.Path, answer.Status, answer.Body)
	}
}

// set gives the fake provider its switches.
func (v *gatewayTour) set(switches string) {
	v.t.Helper()
	answer, err := http.Post(v.fake.URL+"/fake/switches", "text/plain", strings.NewReader(switches))
	if err != nil {
		v.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		v.t.Fatalf("the switches %s answer %d", switches, answer.StatusCode)
	}
}

// gate makes a request to the gateway, which may fail in any way, and keeps the
// answer.
func (v *gatewayTour) gate(r testserver.Request) {
	v.t.Helper()
	v.requests++
	answer, err := v.server.Call(bounded(v.t), r)
	if err != nil {
		v.answers = append(v.answers, err.Error()...) // a stream that was cut
		return
	}
	v.answers = append(v.answers, answer.Body...)
	v.answers = append(v.answers, fmt.Sprint(answer.Header)...)
}

// calls makes a call of each route and provider, whole and streamed, which carries
// a password where its content is.
func (v *gatewayTour) calls(token string) {
	said := []map[string]string{{"role": "user", "content": canaryRight}}
	for model, provider := range gatewayModels {
		for _, stream := range []bool{false, true} {
			if provider == "anthropic" {
				v.gate(post("/v1/messages", token, map[string]any{"model": model, "max_tokens": 9, "messages": said, "stream": stream}))
				continue
			}
			v.gate(post("/v1/chat/completions", token, map[string]any{"model": model, "messages": said, "stream": stream}))
			v.gate(post("/v1/responses", token, map[string]any{"model": model, "input": canaryRight, "stream": stream}))
			v.gate(post("/v1/images/generations", token, map[string]any{"model": model, "prompt": canaryRight, "stream": stream}))
		}
	}
	v.gate(post("/v1/embeddings", token, map[string]any{"model": "canary-gpt", "input": canaryRight}))
	v.gate(post("/v1/audio/speech", token, map[string]any{"model": "canary-gpt", "voice": "alloy", "input": "one two"}))
	v.gate(v.transcription(token))
}

func (v *gatewayTour) transcription(token string) testserver.Request {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	_ = form.WriteField("model", "canary-gpt") // to memory
	_ = form.WriteField("prompt", canaryRight)
	file, err := form.CreateFormFile("file", canaryRight+".wav")
	if err != nil {
		v.t.Fatal(err)
	}
	_, _ = file.Write([]byte(canaryRight))
	_ = form.Close()
	return testserver.Request{
		Method: http.MethodPost, Path: "/v1/audio/transcriptions", Token: token, Body: body.Bytes(),
		Header: http.Header{"Content-Type": {form.FormDataContentType()}},
	}
}

// headers puts a secret into headers and into the address.
func (v *gatewayTour) headers(secret string) {
	body := map[string]any{"model": "canary-gpt", "messages": []map[string]string{{"role": "user", "content": "hi"}}}
	for name, value := range map[string]string{
		"X-Api-Key": secret, "Api-Key": secret, "Authorization": secret, "Cookie": "better-auth.session_token=" + secret,
		"Idempotency-Key": secret, "Anthropic-Version": secret, "Openai-Beta": secret, "X-Request-Id": secret,
	} {
		request := post("/v1/chat/completions", "", body)
		request.Header = http.Header{name: {value}, "Content-Type": {"application/json"}}
		if name == "Idempotency-Key" {
			request.Token = v.secrets["an API key"]
		}
		v.gate(request)
	}
	for _, address := range []string{"/v1/chat/completions?api_key=", "/v1/models?key=", "/v1/models/", "/v1/realtime?model=canary-gpt&key=", "/v1/"} {
		request := post(address+secret, "", body)
		v.gate(request)
		v.gate(testserver.Request{Path: request.Path})
	}
}

// bodies puts a secret into fields of a body that a caller sends.
func (v *gatewayTour) bodies(token, secret string) {
	for _, body := range []string{
		`{"model":"canary-gpt","user":"` + secret + `","metadata":{"a":"` + secret + `"},"messages":[{"role":"user","content":"` + secret + `"}]}`,
		`{"model":"canary-gpt","messages":[{"role":"user","content":"` + secret,
		`{"model":"canary-gpt","temperature":9,"messages":[{"role":"` + secret + `","content":"hi"}]}`,
		`{"model":"canary-gpt","max_tokens":"` + secret + `"}`,
		`"` + secret + `"`,
	} {
		for _, path := range []string{"chat/completions", "responses", "embeddings", "images/generations", "audio/speech", "audio/transcriptions", "messages"} {
			v.gate(post("/v1/"+path, token, []byte(body)))
		}
	}
}

// models names a secret as the model. The caller is told that there is no such one,
// by its name; nobody else is.
func (v *gatewayTour) models(token, secret string) {
	for _, path := range []string{"chat/completions", "messages", "embeddings"} {
		if _, err := v.server.Call(bounded(v.t), post("/v1/"+path, token, map[string]any{"model": secret, "input": "hi"})); err != nil {
			v.t.Error(err)
		}
		v.requests++
	}
}

// sockets dials the relay with a secret where browsers put their key.
func (v *gatewayTour) sockets(secret string) {
	for _, route := range []string{"/v1/realtime", "/v1/realtime/translations"} {
		v.requests++
		ctx := bounded(v.t)
		socket, answer, err := websocket.Dial(ctx, v.server.URL+route+"?model=canary-gpt", &websocket.DialOptions{
			Subprotocols: []string{"realtime", "openai-insecure-api-key." + secret},
		})
		if answer != nil {
			v.answers = append(v.answers, fmt.Sprint(answer.Header)...)
		}
		if err != nil {
			if answer != nil && answer.Body != nil {
				body, _ := io.ReadAll(answer.Body) // the library keeps its beginning
				v.answers = append(v.answers, body...)
			}
			continue
		}
		_ = socket.Write(ctx, websocket.MessageText, []byte(`{"type":"session.update","session":{"instructions":"`+secret+`"}}`))
		_ = socket.Write(ctx, websocket.MessageText, []byte(`{"type":"`+secret+`"`))
		_ = socket.CloseNow()
	}
}

// reads visits what tells about calls afterwards.
func (v *gatewayTour) reads(token string) {
	for _, path := range []string{
		"/v1/models", "/v1/models/canary-gpt", "/api/wallet/usage", "/api/wallet/ledger", "/api/wallet/status", "/api/wallet/usage/summary?bucket=day",
		"/api/health", "/api/health/db", "/api/health/kv", "/api/health/ready", "/api/user/api-keys",
		"/api/collections/usage_logs/records", "/api/collections/api_keys/records", "/api/collections/providers/records", "/api/logs",
	} {
		v.gate(testserver.Request{Path: path, Token: token})
	}
}

// searchAnswers looks for secrets in what was answered, and for each provider's key
// in what the fake provider was sent for the others.
func (v *gatewayTour) searchAnswers(t *testing.T) {
	if len(v.answers) < 1<<16 {
		t.Fatalf("only %d bytes were answered: there was nothing to search", len(v.answers))
	}
	for name, secret := range v.secrets {
		if at := bytes.Index(v.answers, []byte(secret)); at >= 0 {
			t.Errorf("%s is in an answer: …%s…", name, v.answers[max(at-200, 0):min(at+200, len(v.answers))])
		}
	}
	v.searchCalls(t)
}

// searchCalls looks through the latest calls that reached the provider: the
// headers are those of the gateway, with one key, and none of a user.
func (v *gatewayTour) searchCalls(t *testing.T) {
	v.set("words=3")
	answer, err := http.Get(v.fake.URL + "/fake/calls")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var calls fakeprovider.Calls
	if err := (testserver.Answer{Body: text}).Decode(&calls); err != nil || len(calls.Calls) == 0 {
		t.Fatalf("no calls: %v", err)
	}
	ours := []string{canaryOpenAI, canaryAnthropic, canaryStored, canaryNamed}
	for _, call := range calls.Calls {
		headers := fmt.Sprint(call.Headers)
		for name, secret := range v.secrets {
			if strings.Contains(headers, secret) && !slices.Contains(ours, secret) {
				t.Errorf("%s reached the provider with %s: %s", name, call.Path, headers)
			}
		}
	}
}
