package hooks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sokuji/internal/apikeys"
	"sokuji/internal/metering"
)

// answerOf answers as responses does, with an id and counts.
func answerOf(id string, in, out int) http.HandlerFunc {
	return jsonAnswer(fmt.Sprintf(`{"id":%q,"object":"response","usage":{"input_tokens":%d,"output_tokens":%d,"total_tokens":%d}}`, id, in, out, in+out))
}

func question(more ...any) string {
	return object(append([]any{"model", testModel, "input", "and then?", "max_output_tokens", 16}, more...)...)
}

// A call that goes on from an answer is held for all that the answer's call had,
// and the answer must be one of the same wallet.
func TestAnAnswerIsGoneOnFrom(t *testing.T) {
	const in, out = 3_000, 200
	g := newGatewayHouse(t, answerOf("resp_1", in, out))
	g.post("/v1/responses", question()).want(200)
	first := g.settled()

	var held int64
	g.up.become(func(w http.ResponseWriter, r *http.Request) {
		held = g.settlement().held
		answerOf("resp_2", in+out+10, out)(w, r)
	})
	next := question("previous_response_id", "resp_1")
	g.post("/v1/responses", next).want(200)
	asked, err := metering.ReadAsk(metering.Responses, []byte(next))
	if err != nil {
		t.Fatal(err)
	}
	if want := (asked.Estimate.InText+in+out)*tokensIn + 16*tokensOut; held != want {
		t.Errorf("%d is held, want %d", held, want)
	}
	if second := g.settled(); second.charged != first.charged+(out+10)*tokensIn {
		t.Errorf("the first cost %d, the second %d", first.charged, second.charged)
	}
}

func TestNobodyGoesOnFromTheAnswerOfAnother(t *testing.T) {
	g := newGatewayHouse(t, answerOf("resp_bobs", 3_000, 200))
	g.mint(g.bob, 1_000_000)
	bobs := g.keyOf(g.bob, apikeys.ScopeGateway)
	g.do("POST", "/v1/responses", bobs, question()).want(200)
	// What a client records by itself makes no answer its own.
	g.do("POST", "/api/wallet/use", bearer(g.house.key(apikeys.ScopeWalletCharge)),
		object("amount", 1, "endpoint", "/v1/responses", "responseId", "resp_bobs")).want(200)
	for _, id := range []string{"resp_bobs", "resp_made_up", "%"} {
		got := g.post("/v1/responses", question("previous_response_id", id)).
			wantOutcome("400 previous_response_not_found").names("previous_response_id")
		if want := "Previous response with id '" + id + "' not found."; got.text("error.message") != want || got.text("error.type") != "invalid_request_error" {
			t.Errorf("the error is %s", got.body)
		}
	}
	if g.up.count() != 1 {
		t.Errorf("the provider was called %d times", g.up.count())
	}
	g.do("POST", "/v1/responses", bobs, question("previous_response_id", "resp_bobs")).want(200)
}

// A stream that its client left is an answer of theirs, too.
func TestAnAnswerThatWasCutIsGoneOnFrom(t *testing.T) {
	g := newGatewayHouse(t, chunks(`{"type":"response.created","response":{"id":"resp_1","usage":null}}`,
		`{"type":"response.output_text.delta","delta":"hi"}`, "!cut"))
	g.stream("/v1/responses", question("stream", true)).rest()
	g.up.become(answerOf("resp_2", 10, 5))
	g.post("/v1/responses", question("previous_response_id", "resp_1")).want(200)
}

func TestAConversationIsRefused(t *testing.T) {
	g := newGatewayHouse(t, answerOf("resp_1", 10, 5))
	for _, conversation := range []any{"conv_1", map[string]any{"id": "conv_1"}, "", false} {
		g.post("/v1/responses", question("conversation", conversation)).wantOutcome("400 invalid_request").names("conversation")
	}
	if g.up.count() != 0 {
		t.Errorf("the provider was called %d times", g.up.count())
	}
	g.post("/v1/responses", question("conversation", nil)).want(200)
}

// A client that leaves before the provider's counts come pays for all that was asked:
// each Chinese character, and what is no text or not in the body.
func TestWhoLeavesPaysForAllOfTheInput(t *testing.T) {
	const in, out = 30_000, 200
	for name, c := range map[string]struct {
		input any
		more  []any
		least int64 // tokens of input
	}{
		"Chinese":            {input: strings.Repeat("今天天气很好", 1_000), least: 6_000},
		"a picture":          {input: []any{map[string]any{"role": "user", "content": []any{map[string]any{"type": "input_image", "image_url": "https://example.com/a.png"}}}}, least: 3_000},
		"an answer":          {input: "and then?", more: []any{"previous_response_id", "resp_1"}, least: in + out},
		"an item, a prompt":  {input: []any{map[string]any{"id": "msg_1"}}, more: []any{"prompt", map[string]any{"id": "pmpt_1"}}, least: 2 * 8_192},
		"nothing but a word": {input: "hi", least: 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGatewayHouse(t, answerOf("resp_1", in, out))
			g.server.gateway.client.DrainTime = 50 * time.Millisecond
			g.post("/v1/responses", question()).want(200)
			g.up.become(chunks(`{"type":"response.created","response":{"id":"resp_2","usage":null}}`,
				`{"type":"response.output_text.delta","delta":"42"}`, "!wait"))
			stream := g.stream("/v1/responses", question(append([]any{"stream", true, "input", c.input}, c.more...)...))
			stream.next()
			stream.next()
			stream.response.Body.Close()
			const around = 50 // tokens of the body's frame
			got := g.settled()
			if most := (c.least+around)*tokensIn + tokensOut; got.settledBy != "partial" || got.charged < c.least*tokensIn+tokensOut || got.charged > most {
				t.Errorf("the books say %+v, want a charge from %d to %d", got, c.least*tokensIn+tokensOut, most)
			}
		})
	}
}
