package hooks

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// The rates of the model that speaks, in wallet tokens.
const (
	testVoice                   = "test-voice"
	testVoiceRate               = 400_000_000
	tokensHeard, tokensSpoken   = 48, 48
	pictureTokens               = 6_600 // what a picture is reserved at
	lettersOfPCM, lettersOfOpus = 3_200, 266
)

// cutCase is a stream that brings no counts, and what we count of it.
type cutCase struct {
	path, body string
	events     []string
	last       string // the event of a proper end, if there must be one
	in, out    int64  // text
	spoken     int64
}

// bodyTokens is a token for each four bytes of what was asked.
func bodyTokens(body string) int64 { return int64(len(body))/4 + 1 }

func cutCases() map[string]cutCase {
	long := strings.Repeat("words and ", 400)
	text := chat("stream", true, "messages", []any{map[string]any{"role": "user", "content": long}})
	aloud := func(format string) string {
		return chat("stream", true, "model", testVoice, "modalities", []string{"text", "audio"}, "audio", map[string]any{"voice": "alloy", "format": format})
	}
	sound := func(letters int) string {
		return `{"id":"c","choices":[{"index":0,"delta":{"audio":{"id":"a","data":"` + strings.Repeat("A", letters) + `"}}}],"usage":null}`
	}
	const transcript = `{"id":"c","choices":[{"index":0,"delta":{"audio":{"id":"a","transcript":"hello there"}}}]}`
	responses := object("model", testModel, "input", long, "stream", true)
	picture := object("model", testModel, "prompt", "a cat", "stream", true, "partial_images", 3)
	speech := object("model", testVoice, "input", "hello there", "voice", "alloy", "stream_format", "sse")
	return map[string]cutCase{
		"a chat":                    {path: "/v1/chat/completions", body: text, events: []string{delta("a"), delta(strings.Repeat("a", 400))}, last: done, in: bodyTokens(text), out: 101},
		"a chat aloud":              {path: "/v1/chat/completions", body: aloud("pcm16"), events: []string{sound(2 * lettersOfPCM), sound(lettersOfPCM), transcript}, last: done, in: bodyTokens(aloud("pcm16")), out: 3, spoken: 3},
		"a chat in a packed format": {path: "/v1/chat/completions", body: aloud("opus"), events: []string{sound(10 * lettersOfOpus)}, last: done, in: bodyTokens(aloud("opus")), spoken: 10},
		"a chat that is long aloud": {path: "/v1/chat/completions", body: aloud("opus"), events: slices.Repeat([]string{sound(188 * lettersOfOpus)}, 20), last: done, in: bodyTokens(aloud("opus")), spoken: 20 * 188},
		"a response": {path: "/v1/responses", body: responses, events: []string{responseCreated, `{"type":"response.output_text.delta","delta":"hello you"}`},
			last: `{"type":"response.completed","response":{"id":"resp_1","usage":null,"error":null}}`, in: bodyTokens(responses), out: 3},
		"a message": {path: "/v1/messages", body: text, events: []string{`{"type":"message_start","message":{"id":"msg_1"}}`, `{"type":"content_block_delta","delta":{"type":"text_delta","text":"hello you"}}`},
			last: `{"type":"message_stop"}`, in: bodyTokens(text), out: 3},
		"a speech":  {path: "/v1/audio/speech", body: speech, events: []string{`{"type":"speech.audio.delta","audio":"AAAA"}`}, in: 11, spoken: 17},
		"a picture": {path: "/v1/images/generations", body: picture, events: []string{`{"type":"image_generation.partial_image","b64_json":"AAAA"}`}, in: bodyTokens(picture), out: pictureTokens},
	}
}

func (c cutCase) charge() int64 { return c.in*tokensIn + c.out*tokensOut + c.spoken*tokensSpoken }

// A stream without counts costs what we count of it, to the token, however it ends,
// and that much is reserved before the client sees it.
func TestAStreamWithoutCountsCostsOurCount(t *testing.T) {
	for name, c := range cutCases() {
		for _, how := range []string{"ends", "is cut", "is left"} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				g := newGatewayHouse(t, chunks(c.ending(how)...))
				g.priceFor("openai", testVoice, "in_audio", testVoiceRate, "out_audio", testVoiceRate)
				g.server.gateway.client.DrainTime = 50 * time.Millisecond
				want := settlement{holdState: "settled", entries: 1, charged: c.charge(), settledBy: "partial"}
				if how == "ends" {
					want.settledBy = "estimate"
				}
				if how == "is left" {
					g.leaveAfter(c.path, c.body, len(c.events), func() {
						if held := g.settlement().held; held < want.charged {
							t.Errorf("%d are held of %d", held, want.charged)
						}
					})
				} else {
					g.post(c.path, c.body).want(200)
				}
				g.wantSettlement(want)
			})
		}
	}
}

func (c cutCase) ending(how string) []string {
	switch {
	case how == "is cut":
		return append(c.events, "!cut")
	case how == "is left":
		return append(c.events, "!wait")
	case c.last != "":
		return append(c.events, c.last)
	}
	return c.events
}

// leaveAfter reads so many events of a stream, does something, and goes away.
func (g *gatewayHouse) leaveAfter(path, body string, events int, during func()) {
	g.t.Helper()
	ctx, leave := context.WithCancel(g.t.Context())
	defer leave()
	response, err := g.srv.Client().Do(g.request("POST", path, bearer(g.key), body).WithContext(ctx))
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	stream := newLiveStream(g.t, response)
	for range events {
		stream.next()
	}
	during()
}

// The last event of a picture is long and has its counts at the end: it is read for
// a client that left in the middle of it.
func TestALongEventIsReadForAClientThatLeft(t *testing.T) {
	proceed := make(gate)
	g := newGatewayHouse(t, func(w http.ResponseWriter, r *http.Request) {
		chunks(`{"type":"image_generation.partial_image","b64_json":"AAAA"}`)(w, r)
		proceed.then(w, r, chunks(`{"type":"image_generation.completed","b64_json":"`+strings.Repeat("A", 3<<20)+`","usage":{"input_tokens":20,"output_tokens":1000,"total_tokens":1020}}`))
	})
	picture := object("model", testModel, "prompt", "a cat", "stream", true)
	g.leaveAfter("/v1/images/generations", picture, 1, func() {})
	close(proceed)
	g.wantSettlement(settlement{holdState: "settled", entries: 1, charged: 20*tokensIn + 1000*tokensOut, settledBy: "provider"})
}
