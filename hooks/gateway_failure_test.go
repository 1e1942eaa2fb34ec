package hooks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// typed answers with a text of a type.
func typed(kind string, status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	}
}

const (
	responseCreated = `{"type":"response.created","response":{"id":"resp_1","status":"in_progress","error":null,"usage":null}}`
	responseFailed  = `{"type":"response.failed","response":{"id":"resp_1","status":"failed","usage":null,"error":{"code":"rate_limit_exceeded","message":"Rate limit reached in organization org-CANARY of proj_CANARY"}}}`
	responseBilled  = `{"type":"response.failed","response":{"id":"resp_1","status":"failed","usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10},"error":{"code":"server_error","message":"org-CANARY"}}}`
	chatError       = `{"error":{"message":"Provider returned an error for org-CANARY","code":502}}`
)

// failureCase is an answer of a provider that failed, with a status of success.
type failureCase struct {
	path, body string
	serve      http.HandlerFunc
	outcome    string // as an ordinary answer
	last       string // a part of the last event of a stream
	charged    int64  // nothing: the hold is released
}

func failureCases() map[string]failureCase {
	const charged = 7*tokensIn + 3*tokensOut
	response, responses := object("model", testModel, "input", "hi"), "/v1/responses"
	responseStream := object("model", testModel, "input", "hi", "stream", true)
	chats, messages := "/v1/chat/completions", "/v1/messages"
	speech := object("model", "test-speaker", "input", "hello", "voice", "alloy")
	return map[string]failureCase{
		"a stream that fails before output":    {path: responses, body: responseStream, serve: chunks(responseCreated, responseFailed), last: "response.failed"},
		"one that only fails":                  {path: responses, body: responseStream, serve: chunks(responseFailed), outcome: "502 provider_error"},
		"one that fails with counts":           {path: responses, body: responseStream, serve: chunks(responseCreated, responseBilled), last: "response.failed", charged: charged},
		"one that breaks off before output":    {path: responses, body: responseStream, serve: chunks(responseCreated), last: "provider_error"},
		"one that names an error and ends":     {path: responses, body: responseStream, serve: chunks(responseCreated, `{"type":"error","code":"server_error","message":"x"}`), last: "provider_error"},
		"a whole response that failed":         {path: responses, body: response, serve: jsonAnswer(`{"id":"resp_1","status":"failed","usage":null,"output":[],"error":{"code":"server_error"}}`), outcome: "502 provider_error"},
		"one that failed with counts":          {path: responses, body: response, serve: jsonAnswer(`{"id":"resp_1","status":"failed","usage":{"input_tokens":7,"output_tokens":3},"output":[],"error":{"message":"org-CANARY"}}`), outcome: "200", charged: charged},
		"a chat's stream with an error":        {path: chats, body: streamChat(), serve: chunks(chatError, done), outcome: "502 provider_error"},
		"one after a comment":                  {path: chats, body: streamChat(), serve: typed("text/event-stream", 200, ": wait\n\ndata: "+chatError+"\n\ndata: [DONE]\n\n"), last: done},
		"one after an empty piece":             {path: chats, body: streamChat(), serve: chunks(delta(""), chatError, done), last: done},
		"one without anything":                 {path: chats, body: streamChat(), serve: chunks(done), outcome: "502 provider_error"},
		"a chat with an error":                 {path: chats, body: chat(), serve: jsonAnswer(chatError), outcome: "502 provider_error"},
		"an error in answer to a stream":       {path: chats, body: streamChat(), serve: jsonAnswer(chatError), outcome: "502 provider_error"},
		"a list with an error":                 {path: chats, body: chat(), serve: jsonAnswer("[" + chatError + "]"), outcome: "502 provider_error"},
		"an object without an answer":          {path: chats, body: chat(), serve: jsonAnswer(`{}`), outcome: "502 provider_error"},
		"a long answer that is cut JSON":       {path: chats, body: chat(), serve: jsonAnswer(`{"choices":["` + strings.Repeat("x", 100_000)), outcome: "502 provider_error"},
		"a page":                               {path: chats, body: chat(), serve: typed("text/html", 200, "<html>Welcome</html>"), outcome: "502 provider_error"},
		"a page that says that it is text":     {path: chats, body: chat(), serve: typed("text/plain", 200, "<html>Welcome</html>"), outcome: "502 provider_error"},
		"a page in answer to a stream":         {path: messages, body: chat("stream", true), serve: typed("text/html; charset=utf-8", 200, "<html>Welcome</html>"), outcome: "502 provider_error"},
		"an error of messages":                 {path: messages, body: chat("stream", true), serve: namedEvents([2]string{"error", `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`}), outcome: "502 provider_error"},
		"a speech that is JSON":                {path: "/v1/audio/speech", body: speech, serve: jsonAnswer(`{"error":{"message":"x"}}`), outcome: "502 provider_error"},
		"a speech that is a page":              {path: "/v1/audio/speech", body: speech, serve: typed("text/html", 200, "<html>"), outcome: "502 provider_error"},
		"a speech in events that has an error": {path: "/v1/audio/speech", body: object("model", "test-speaker", "input", "hello", "stream_format", "sse"), serve: chunks(chatError), outcome: "502 provider_error"},
	}
}

// A provider that fails before any output is not paid for, whatever its status says;
// one that has counts is charged by them. Its words do not name the operator's
// account.
func TestAFailureIsNotCharged(t *testing.T) {
	for name, c := range failureCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGatewayHouse(t, c.serve)
			g.priceFor("openai", "test-speaker", "out_audio", testOutRate)
			got := g.post(c.path, c.body)
			if c.outcome != "" && got.outcome() != c.outcome {
				t.Errorf("it answered %s, want %s: %s", got.outcome(), c.outcome, got.body)
			}
			if c.outcome == "" && (got.status != 200 || !strings.Contains(lastEvent(string(got.body)), c.last)) {
				t.Errorf("it answered %d and %s, want %s at the end", got.status, got.body, c.last)
			}
			for _, secret := range []string{"CANARY", "<html>"} {
				if strings.Contains(string(got.body), secret) {
					t.Errorf("%s is shown: %s", secret, got.body)
				}
			}
			want := settlement{holdState: "released"}
			if c.charged > 0 {
				want = settlement{holdState: "settled", entries: 1, charged: c.charged, settledBy: "provider"}
			}
			g.wantSettlement(want)
		})
	}
}

func lastEvent(stream string) string {
	_, last, _ := strings.Cut(strings.TrimSpace(stream[max(0, strings.LastIndex(strings.TrimSpace(stream), "data: ")):]), "data: ")
	return last
}

// While the client has seen nothing, another provider is tried after such a failure.
func TestAFailureIsTriedElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		body         string
		first, other http.HandlerFunc
	}{
		"a page":                  {chat(), typed("text/html", 200, "<html>"), completion},
		"an error":                {chat(), jsonAnswer(chatError), completion},
		"a page for a stream":     {streamChat(), typed("text/html", 200, "<html>"), chunks(delta("a"), usageChunk, done)},
		"an error in a stream":    {streamChat(), chunks(chatError, done), chunks(delta("a"), usageChunk, done)},
		"an error instead of one": {streamChat(), jsonAnswer(chatError), chunks(delta("a"), usageChunk, done)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGatewayHouse(t, c.first)
			other := newUpstream(t, c.other)
			g.do("POST", "/api/collections/providers/records", g.asRoot(), object(
				"name", "other", "kind", "compatible", "price_provider", "openai", "priority", 100, "enabled", true,
				"base_url", other.URL+"/v1", "api_key", "other-key")).want(200)
			g.post("/v1/chat/completions", c.body).want(200)
			g.wantSettlement(settlement{holdState: "settled", entries: 1, charged: ordinaryCharge, settledBy: "provider"})
			if g.up.count() != 1 || other.count() != 1 {
				t.Errorf("the first was called %d times, the other %d", g.up.count(), other.count())
			}
		})
	}
}

// A repeated key of a call that was not charged is free again.
func TestAFailedStreamFreesItsKey(t *testing.T) {
	g := newGatewayHouse(t, chunks(responseCreated, responseFailed))
	body := object("model", testModel, "input", "hi", "stream", true)
	g.post("/v1/responses", body, idempotencyKey, "one").want(200)
	g.post("/v1/responses", body, idempotencyKey, "one").want(200)
	if g.up.count() != 2 {
		t.Errorf("the provider was called %d times", g.up.count())
	}
}

// What a provider refuses is shown without the names of the operator's account, and
// only as the JSON that it is.
func TestARefusalDoesNotNameTheAccount(t *testing.T) {
	for name, c := range map[string]struct {
		serve   http.HandlerFunc
		outcome string
	}{
		"an organisation": {typed("application/json", 400, `{"error":{"message":"Your organization org-CANARY must be verified","code":"bad"}}`), "400 bad"},
		"a project":       {typed("application/json", 404, `{"error":{"message":"project proj_CANARY does not have access","code":"model_not_found"}}`), "404 model_not_found"},
		"a key":           {typed("application/json", 422, `{"error":{"message":"sk-proj-CANARY is\nsk-CANARY","code":"bad"}}`), "422 bad"},
		"JSON as a page":  {typed("text/html", 400, `{"error":{"message":"<script>","code":"bad"}}`), "400 bad"},
		"a page":          {typed("text/html", 400, "<html>CANARY</html>"), "502 provider_error"},
		"a list":          {typed("application/json", 400, `[{"error":{"message":"CANARY"}}]`), "502 provider_error"},
		"a cut answer":    {typed("application/json", 400, `{"error":{"message":"CANARY`+strings.Repeat("x", 100_000)+`"}}`), "502 provider_error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGatewayHouse(t, c.serve)
			got := g.post("/v1/chat/completions", chat()).wantOutcome(c.outcome)
			if strings.Contains(string(got.body), "CANARY") || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
				t.Errorf("the client sees %s of %s", got.body, got.header.Get("Content-Type"))
			}
			g.wantSettlement(settlement{holdState: "released"})
		})
	}
}
