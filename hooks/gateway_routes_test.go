package hooks

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sokuji/internal/metering"
)

// Every route of /v1 that reaches a provider has a row with a meter. The GET routes
// show what is in memory; the realtime routes have a meter of their own.
func TestEveryGatewayRouteHasAMeter(t *testing.T) {
	free := []string{"GET /v1/models", "GET /v1/models/{model...}", "GET /v1/{path...}", "GET /v1/realtime", "GET /v1/realtime/translations"}
	metered := 0
	for _, route := range routesOf(t, "routes.go") {
		_, path, _ := strings.Cut(route, " /v1/")
		if path == "" || slices.Contains(free, route) {
			continue
		}
		metered++
		endpoint := metering.Endpoint(path)
		if !strings.HasPrefix(route, "POST ") || gatewayRouteOf(endpoint).read == nil {
			t.Errorf("%s has no meter", route)
		}
	}
	if metered != len(gatewayRoutes) {
		t.Errorf("%d routes are bound, and there are %d rows", metered, len(gatewayRoutes))
	}
	defer func() {
		if recover() == nil {
			t.Error("a route without a meter can be bound")
		}
	}()
	gatewayRouteOf("moderations")
}

// jsonAnswer answers with a JSON text.
func jsonAnswer(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, text)
	}
}

// named writes events with names, as Anthropic and responses do.
func namedEvents(events ...[2]string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, event := range events {
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event[0], event[1])
			http.NewResponseController(w).Flush()
		}
	}
}

func TestEveryRouteIsChargedByItsCounts(t *testing.T) {
	text := func(in, out int64) int64 { return in*tokensIn + out*tokensOut }
	for name, c := range map[string]struct {
		path, body string
		serve      http.HandlerFunc
		charged    int64
		last       string // of a stream
	}{
		"responses": {path: "/v1/responses", body: object("model", testModel, "input", "hi", "max_output_tokens", 50),
			serve: jsonAnswer(`{"id":"resp_1","object":"response","usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}`), charged: text(7, 3)},
		"responses in events": {path: "/v1/responses", body: object("model", testModel, "input", "hi", "max_output_tokens", 50, "stream", true),
			serve: namedEvents([2]string{"response.created", `{"type":"response.created","response":{"id":"resp_1"}}`},
				[2]string{"response.output_text.delta", `{"type":"response.output_text.delta","delta":"hi"}`},
				[2]string{"response.completed", `{"type":"response.completed","response":{"id":"resp_1","usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}}`}),
			charged: text(7, 3), last: "response.completed"},
		"embeddings": {path: "/v1/embeddings", body: object("model", testModel, "input", "hi"),
			serve: jsonAnswer(`{"object":"list","data":[],"usage":{"prompt_tokens":4,"total_tokens":4}}`), charged: text(4, 0)},
		"messages": {path: "/v1/messages", body: chat(),
			serve: jsonAnswer(`{"id":"msg_1","type":"message","content":[],"usage":{"input_tokens":6,"output_tokens":2}}`), charged: text(6, 2)},
		"messages in events": {path: "/v1/messages", body: chat("stream", true),
			serve: namedEvents([2]string{"message_start", `{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":6,"output_tokens":1}}}`},
				[2]string{"content_block_delta", `{"type":"content_block_delta","delta":{"type":"text_delta","text":"hi"}}`},
				[2]string{"message_delta", `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}`},
				[2]string{"message_stop", `{"type":"message_stop"}`}),
			charged: text(6, 2), last: "message_stop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGatewayHouse(t, c.serve)
			if c.last != "" {
				events := g.stream(c.path, c.body).rest()
				if last := events[len(events)-1]; !strings.Contains(last, c.last) {
					t.Errorf("the last event is %s", last)
				}
			} else {
				got := g.post(c.path, c.body).want(200)
				if got.header.Get("x-sokuji-charged-tokens") != fmt.Sprint(c.charged) {
					t.Errorf("charged %s", got.header.Get("x-sokuji-charged-tokens"))
				}
			}
			g.wantSettlement(settlement{holdState: "settled", entries: 1, charged: c.charged, settledBy: "provider"})
			if path := g.up.last(t).path; path != c.path {
				t.Errorf("the provider was called at %s", path)
			}
		})
	}
}

// Anthropic's clients send our key as theirs; what reaches the provider is its own.
func TestAnthropicsHeaders(t *testing.T) {
	g := newGatewayHouse(t, jsonAnswer(`{"id":"msg_1","usage":{"input_tokens":1,"output_tokens":1}}`))
	g.do("POST", "/v1/messages", xAPIKey(g.key), chat(), "anthropic-version", "2023-01-01", "anthropic-beta", "a,b", "x-secret", "s", "Cookie", "c=d").want(200)
	header := g.up.last(t).header
	if header.Get("x-api-key") != providerKey || header.Get("anthropic-version") != "2023-01-01" || header.Get("anthropic-beta") != "a,b" {
		t.Errorf("the provider saw %v", header)
	}
	for _, dropped := range []string{"Authorization", "X-Secret", "Cookie"} {
		if header.Get(dropped) != "" {
			t.Errorf("the provider saw %s: %s", dropped, header.Get(dropped))
		}
	}
	got := g.do("POST", "/v1/messages", xAPIKey("sk-sokuji-wrong"), chat(), "anthropic-version", "2023-06-01").want(401)
	if got.text("type") != "error" || got.text("error.type") != "authentication_error" {
		t.Errorf("the error is %s", got.body)
	}
}

func TestSpeechPassesAsItComes(t *testing.T) {
	g := newGatewayHouse(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		w.Write(bytes.Repeat([]byte{0xff}, 100_000))
	})
	const speaker = "test-speaker"
	g.priceFor("openai", speaker, "out_audio", testOutRate)
	got := g.post("/v1/audio/speech", object("model", speaker, "input", "hello", "voice", "alloy")).want(200)
	if len(got.body) != 100_000 || got.header.Get("Content-Type") != "audio/mpeg" || got.header.Get("x-sokuji-charged-tokens") == "" {
		t.Errorf("%d bytes of %s", len(got.body), got.header.Get("Content-Type"))
	}
	s := g.settled()
	const asked = 5*tokensIn + 8*tokensOut // the characters, and one and a half tokens of sound for each
	if s.settledBy != "estimate" || s.held != 0 || s.charged != asked || fmt.Sprint(s.charged) != got.header.Get("x-sokuji-charged-tokens") {
		t.Errorf("the books say %+v, the answer %s", s, got.header.Get("x-sokuji-charged-tokens"))
	}
	// a client must not take a part for the whole
	g.up.become(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		w.Write(bytes.Repeat([]byte{0xff}, 100_000))
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	response, err := g.srv.Client().Do(g.request("POST", "/v1/audio/speech", bearer(g.key), object("model", speaker, "input", "hello", "voice", "alloy")))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("a cut sound looks whole")
	}
	if s := g.settled(); s.settledBy != "partial" || s.held != 0 || s.charged != asked {
		t.Errorf("the books say %+v", s)
	}
}

func upload(t *testing.T, size int, fields ...string) (body, kind string) {
	t.Helper()
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	file, err := writer.CreateFormFile("file", "a.wav")
	if err != nil {
		t.Fatal(err)
	}
	file.Write(make([]byte, size))
	for i := 0; i < len(fields); i += 2 {
		writer.WriteField(fields[i], fields[i+1])
	}
	writer.Close()
	return form.String(), writer.FormDataContentType()
}

func TestTranscriptions(t *testing.T) {
	const answer = `{"text":"hello","usage":{"type":"duration","seconds":2}}`
	for name, c := range map[string]struct {
		size         int
		format, want string
		kind         string
	}{
		"json":              {size: 1000, want: answer, kind: "application/json"},
		"text":              {size: 1000, format: "text", want: "hello\n", kind: "text/plain; charset=utf-8"},
		"a file of some MB": {size: 3 << 20, format: "json", want: answer, kind: "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGatewayHouse(t, jsonAnswer(answer))
			g.do("POST", "/api/collections/prices/records", g.asRoot(), object("provider", "openai", "model", "test-whisper", "milliseconds", 100_000)).want(200)
			fields := []string{"model", "test-whisper", "language", "en"}
			if c.format != "" {
				fields = append(fields, "response_format", c.format)
			}
			body, kind := upload(t, c.size, fields...)
			got := g.do("POST", "/v1/audio/transcriptions", bearer(g.key), body, "Content-Type", kind).want(200)
			if string(got.body) != c.want || got.header.Get("Content-Type") != c.kind {
				t.Errorf("%s of %s", got.body, got.header.Get("Content-Type"))
			}
			g.wantSettlement(settlement{holdState: "settled", entries: 1, charged: 24, settledBy: "provider"})
			call := g.up.last(t)
			if !strings.HasPrefix(call.header.Get("Content-Type"), "multipart/form-data") || len(call.body) < c.size || !bytes.Contains(call.body, []byte("test-whisper")) {
				t.Errorf("the provider saw %d bytes of %s", len(call.body), call.header.Get("Content-Type"))
			}
		})
	}
	g := newGatewayHouse(t, jsonAnswer(answer))
	body, kind := upload(t, 10, "model", testModel, "response_format", "srt")
	g.do("POST", "/v1/audio/transcriptions", bearer(g.key), body, "Content-Type", kind).wantOutcome("400 invalid_request").names("response_format")
	body, kind = upload(t, 10)
	g.do("POST", "/v1/audio/transcriptions", bearer(g.key), body, "Content-Type", kind).wantOutcome("400 invalid_request").names("model")
	if g.up.count() != 0 {
		t.Error("the provider was called")
	}
}

func TestCompressedBodies(t *testing.T) {
	g := newGatewayHouse(t, completion)
	pack := func(text string) string {
		var packed bytes.Buffer
		writer := gzip.NewWriter(&packed)
		io.WriteString(writer, text)
		writer.Close()
		return packed.String()
	}
	g.post("/v1/chat/completions", pack(chat()), "Content-Encoding", "gzip").want(200)
	if string(g.up.last(t).body) != chat() {
		t.Errorf("the provider saw %q", g.up.last(t).body)
	}
	g.post("/v1/chat/completions", chat(), "Content-Encoding", "gzip").wantOutcome("400 invalid_request").names("body")
	g.post("/v1/chat/completions", chat(), "Content-Encoding", "br").wantOutcome("415 invalid_request")
	// a few kilobytes that unpack to more than any body may have
	g.post("/v1/chat/completions", pack(`{"model":"`+strings.Repeat("x", maxGatewayJSONBytes)+`"}`), "Content-Encoding", "gzip").wantOutcome("413 invalid_request")
	if g.up.count() != 1 {
		t.Errorf("the provider was called %d times", g.up.count())
	}
	// and the other way
	g.up.become(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, pack(`{"id":"c","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`))
	})
	if got := g.post("/v1/chat/completions", chat()).want(200); got.text("id") != "c" || got.header.Get("x-sokuji-charged-tokens") != "240" {
		t.Errorf("the answer is %s", got.body)
	}
}

func TestWhatIsRefused(t *testing.T) {
	g := newGatewayHouse(t, completion)
	for name, c := range map[string]struct{ path, body, outcome, names string }{
		"no JSON":              {"chat/completions", `{"model":`, "400 invalid_request", "body"},
		"no body":              {"chat/completions", ``, "400 invalid_request", "body"},
		"a list":               {"chat/completions", `[]`, "400 invalid_request", "body"},
		"no model":             {"chat/completions", `{"messages":[]}`, "400 invalid_request", "model"},
		"a model twice":        {"chat/completions", `{"model":"` + testModel + `","MODEL":"x"}`, "400 invalid_request", "MODEL"},
		"a model unknown":      {"chat/completions", chat("model", "nothing"), "404 model_not_found", "nothing"},
		"a model elsewhere":    {"messages", chat("model", "openai/"+testModel), "404 model_not_found", testModel},
		"a priority":           {"chat/completions", chat("service_tier", "priority"), "400 invalid_request", "service_tier"},
		"in the background":    {"responses", object("model", testModel, "background", true), "400 invalid_request", "background"},
		"a search":             {"responses", object("model", testModel, "input", "x", "tools", []any{map[string]any{"type": "web_search_preview"}}), "400 invalid_request", "tools"},
		"a search in the chat": {"chat/completions", chat("web_search_options", map[string]any{}), "400 invalid_request", "web_search_options"},
		"dearer models":        {"chat/completions", chat("models", []string{"dear"}), "400 invalid_request", "models"},
		"plugins":              {"chat/completions", chat("plugins", []any{map[string]any{"id": "web"}}), "400 invalid_request", "plugins"},
		"a bound misspelt":     {"chat/completions", chat("Max_Tokens", 1), "400 invalid_request", "max_tokens"},
		"a search disguised":   {"responses", `{"model":"` + testModel + `","input":"x","tools":[{"type":"web_search","Type":"function"}]}`, "400 invalid_request", "tools"},
		"tools in disorder":    {"responses", `{"model":"` + testModel + `","input":"x","tools":[{"type":"web_search"},7]}`, "400 invalid_request", "tools"},
		"another search":       {"messages", chat("tools", []any{map[string]any{"type": "web_search_20250305", "name": "web_search"}}), "", "web_search"},
	} {
		t.Run(name, func(t *testing.T) {
			got := g.post("/v1/"+c.path, c.body)
			if c.outcome != "" {
				got.wantOutcome(c.outcome)
			}
			if got.status < 400 {
				t.Errorf("it was taken: %s", got.body)
			}
			got.names(c.names)
		})
	}
	if g.up.count() != 0 {
		t.Errorf("the provider was called %d times", g.up.count())
	}
	s := g.settlement()
	if s.holdState != "" || s.balance != 1_000_000 {
		t.Errorf("the books say %+v", s)
	}
	g.post("/v1/moderations", chat()).wantOutcome("404 not_found")
}

// What a provider says of our key there is nobody's business.
func TestAProvidersErrorsDoNotNameItsKey(t *testing.T) {
	for status, want := range map[int]string{401: "502 provider_error", 402: "502 provider_error", 403: "502 provider_error", 400: "502 provider_error", 429: "429 rate_limit_exceeded", 500: "502 provider_error", 503: "503 provider_error"} {
		g := newGatewayHouse(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %s"}}`, providerKey)
		})
		got := g.post("/v1/chat/completions", chat()).wantOutcome(want)
		if strings.Contains(string(got.body), providerKey) {
			t.Errorf("%d: the key is shown: %s", status, got.body)
		}
		if g.settled().holdState != "released" {
			t.Errorf("%d: the hold is %s", status, g.settled().holdState)
		}
	}
}

func TestModels(t *testing.T) {
	g := newGatewayHouse(t, completion)
	list := g.do("GET", "/v1/models", bearer(g.key), "").want(200)
	var names []string
	for i := range list.length("data") {
		names = append(names, list.text(fmt.Sprintf("data.%d.id", i)))
	}
	if !slices.Contains(names, testModel) || !slices.IsSorted(names) || list.text("object") != "list" {
		t.Errorf("the models are %v", names)
	}
	one := g.do("GET", "/v1/models/"+testModel, bearer(g.key), "").want(200)
	if one.text("id") != testModel || one.text("object") != "model" || one.text("type") != "model" || one.text("created_at") != "1970-01-01T00:00:00.000Z" {
		t.Errorf("the model is %s", one.body)
	}
	g.do("GET", "/v1/models/nothing", bearer(g.key), "").wantOutcome("404 model_not_found")
	// without a provider no price makes a model
	h := newHouse(t)
	if list := h.do("GET", "/v1/models", h.asAlice(), "").want(200); list.length("data") != 0 {
		t.Errorf("the models are %s", list.body)
	}
}
