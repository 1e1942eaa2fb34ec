package hooks

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"sokuji/internal/pricing"
)

// says makes a provider that answers every call with a text.
func says(contentType, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		io.WriteString(w, text) // a test sees what is missing
	}
}

// countsOf reads the counts of a usage row as it is shown.
func countsOf(t *testing.T, shown any) (usage pricing.Usage) {
	t.Helper()
	encoded, err := json.Marshal(shown)
	if err == nil {
		err = json.Unmarshal(encoded, &usage)
	}
	if err != nil {
		t.Fatal(err)
	}
	return usage
}

// What each kind of price charges for each kind of answer, at the default margin of
// 1.2 and token value of 10 micro-USD.
func TestEveryKindOfPriceCharges(t *testing.T) {
	const (
		picture   = `{"created":1,"data":[{"b64_json":"QUJD"},{"b64_json":"QUJD"}]}`
		withUsage = `{"created":1,"data":[{"b64_json":"QUJD"}],"usage":{"input_tokens":60,"input_tokens_details":{"text_tokens":10,"image_tokens":50},"output_tokens":1056,"total_tokens":1116}}`
		cached    = `{"id":"c","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,"prompt_tokens_details":{"cached_tokens":600}}}`
		messages  = `{"id":"msg_1","type":"message","content":[],"usage":{"input_tokens":100,"cache_creation_input_tokens":200,"cache_read_input_tokens":300,"output_tokens":50}}`
	)
	messagesBody := object("model", "claude-sonnet-4-5", "max_tokens", 100, "messages", []any{})
	tests := []struct {
		name, path, body string
		price            []any // one more row for openai; nil: the seeded one
		contentType      string
		answer           string
		want             int64
		settledBy        string
		counts           pricing.Usage
	}{
		{"speech by the character", "/v1/audio/speech", object("model", "tts-1", "input", "héllo", "voice", "alloy"), nil,
			"audio/mpeg", "sound", 9, "estimate", pricing.Usage{InText: 5}}, // 5 × 15 USD a million
		{"speech by the token", "/v1/audio/speech", object("model", "gpt-4o-mini-tts", "input", "hello", "voice", "alloy"), nil,
			"audio/mpeg", "sound", 13, "estimate", pricing.Usage{InText: 5, OutAudio: 8, Requests: 1}}, // 0.36 and 11.52, up
		{"pictures by the call", "/v1/images/generations", object("model", "by-the-picture", "prompt", "a cat", "n", 2),
			[]any{"model", "by-the-picture", "requests", 40_000_000_000}, "application/json", picture, 9600, "estimate", pricing.Usage{Requests: 2}},
		{"pictures by the call that tell their tokens", "/v1/images/generations", object("model", "by-the-picture", "prompt", "a cat"),
			[]any{"model", "by-the-picture", "requests", 40_000_000_000}, "application/json", withUsage, 4800, "provider", pricing.Usage{InText: 10, InImage: 50, OutText: 1056, Requests: 1}},
		{"pictures by the token", "/v1/images/generations", object("model", "gpt-image-1", "prompt", "a cat"), nil,
			"application/json", withUsage, 66 + 5069, "provider", pricing.Usage{InText: 10, InImage: 50, OutText: 1056, Requests: 1}},
		{"a discount", "/v1/chat/completions", chat("model", "gpt-4o"), nil,
			"application/json", cached, 210 + 120, "provider", pricing.Usage{InText: 400, InCachedText: 600, OutText: 100, Requests: 1}},
		{"a discount that the price does not have", "/v1/chat/completions", chat("model", "full-price"),
			[]any{"model", "full-price", "in_text", 2_500_000, "out_text", 10_000_000},
			"application/json", cached, 300 + 120, "provider", pricing.Usage{InText: 400, InCachedText: 600, OutText: 100, Requests: 1}},
		{"a family's price", "/v1/chat/completions", chat("model", "family-of-9"),
			[]any{"model", "family-", "match", "prefix", "in_text", 2_500_000, "out_text", 10_000_000},
			"application/json", cached, 300 + 120, "provider", pricing.Usage{InText: 400, InCachedText: 600, OutText: 100, Requests: 1}},
		{"tokens, and something for the call", "/v1/chat/completions", chat("model", "both"),
			[]any{"model", "both", "in_text", 2_500_000, "out_text", 10_000_000, "requests", 10_000_000_000},
			"application/json", cached, 1500 + 120, "provider", pricing.Usage{InText: 400, InCachedText: 600, OutText: 100, Requests: 1}},
		{"Anthropic's caches", "/v1/messages", messagesBody, nil,
			"application/json", messages, 137 + 90, "provider", pricing.Usage{InText: 100, InCacheWrite5m: 200, InCachedText: 300, OutText: 50, Requests: 1}}, // 300 + 750 + 90 = 1140 micro-USD: 136.8
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := newGatewayHouse(t, says(test.contentType, test.answer))
			if test.price != nil {
				g.do("POST", "/api/collections/prices/records", g.asRoot(), object(append([]any{"provider", "openai"}, test.price...)...)).want(200)
			}
			g.post(test.path, test.body).want(200)
			if got := g.settled(); got.charged != test.want || got.settledBy != test.settledBy || got.held != 0 {
				t.Errorf("charged %+v, want %d by %s", got, test.want, test.settledBy)
			}
			usage := g.do("GET", "/api/wallet/usage?userId="+g.alice.Id, g.asRoot(), "").want(200)
			if got := countsOf(t, usage.value("usage.0.counts")); got != test.counts {
				t.Errorf("counted %+v, want %+v", got, test.counts)
			}
		})
	}
}
