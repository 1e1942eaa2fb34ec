package metering

import (
	"strings"
	"testing"

	"sokuji/internal/pricing"
)

func TestReadAsk(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		endpoint  Endpoint
		body      string
		want      Ask // but for the tokens of the input
		wantInput func(bodyBytes, got int64) bool
	}{
		{"chat", ChatCompletions, `{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}`,
			Ask{Model: "gpt-4o", MaxOutput: DefaultMaxOutput, Estimate: pricing.Usage{OutText: DefaultMaxOutput, Requests: 1}}, halfOfTheBody},
		{"a stream with usage", ChatCompletions, `{"model":"m","stream":true,"stream_options":{"include_usage":true},"max_tokens":7}`,
			Ask{Model: "m", Stream: true, IncludeUsage: true, MaxOutput: 7, Estimate: pricing.Usage{OutText: 7, Requests: 1}}, halfOfTheBody},
		{"a stream without", ChatCompletions, `{"model":"m","stream":true,"stream_options":{"include_usage":false,"include_obfuscation":false}}`,
			Ask{Model: "m", Stream: true, MaxOutput: DefaultMaxOutput, Estimate: pricing.Usage{OutText: DefaultMaxOutput, Requests: 1}}, halfOfTheBody},
		{"nulls", ChatCompletions, `{"model":"m","stream":null,"stream_options":null,"max_tokens":null,"n":null,"modalities":null}`,
			Ask{Model: "m", MaxOutput: DefaultMaxOutput, Estimate: pricing.Usage{OutText: DefaultMaxOutput, Requests: 1}}, halfOfTheBody},
		{"several results", ChatCompletions, `{"model":"m","n":3,"max_completion_tokens":100,"max_tokens":50}`,
			Ask{Model: "m", MaxOutput: 300, Estimate: pricing.Usage{OutText: 300, Requests: 3}}, halfOfTheBody},
		{"a voice", ChatCompletions, `{"model":"m","modalities":["text","audio"],"max_completion_tokens":100}`,
			Ask{Model: "m", MaxOutput: 100, Estimate: pricing.Usage{OutText: 100, OutAudio: 100, Requests: 1}}, halfOfTheBody},
		{"responses", Responses, `{"model":"m","input":"hello","max_output_tokens":9}`,
			Ask{Model: "m", MaxOutput: 9, Estimate: pricing.Usage{OutText: 9, Requests: 1}}, halfOfTheBody},
		{"responses that go on", Responses, `{"model":"m","input":"hello","previous_response_id":"resp_1","max_output_tokens":9}`,
			Ask{Model: "m", MaxOutput: 9, Estimate: pricing.Usage{OutText: 9, Requests: 1}},
			func(bodyBytes, got int64) bool { return got == bodyBytes/2+1+unseenContextTokens }},
		{"a member of another endpoint", ChatCompletions, `{"model":"m","previous_response_id":"resp_1","max_tokens":9}`,
			Ask{Model: "m", MaxOutput: 9, Estimate: pricing.Usage{OutText: 9, Requests: 1}}, halfOfTheBody},
		{"messages", Messages, `{"model":"claude","max_tokens":1024,"messages":[]}`,
			Ask{Model: "claude", MaxOutput: 1024, Estimate: pricing.Usage{OutText: 1024, Requests: 1}}, halfOfTheBody},
		{"embeddings have no output", Embeddings, `{"model":"m","input":["a","b"]}`,
			Ask{Model: "m", Estimate: pricing.Usage{Requests: 1}}, halfOfTheBody},
		{"pictures", Images, `{"model":"m","prompt":"a cat","n":2}`,
			Ask{Model: "m", MaxOutput: 2 * maxPictureTokens, Estimate: pricing.Usage{OutText: 2 * maxPictureTokens, Requests: 2}}, halfOfTheBody},
		{"speech by its characters", Speech, `{"model":"tts-1","input":"héllo\n","voice":"alloy"}`,
			Ask{Model: "tts-1", MaxOutput: 10, Estimate: pricing.Usage{OutAudio: 10, Requests: 1}},
			func(_, got int64) bool { return got == 6 }},
		{"speech in events", Speech, `{"model":"m","input":"hello","instructions":"slow","stream_format":"sse","stream":false}`,
			Ask{Model: "m", Stream: true, MaxOutput: 8, Estimate: pricing.Usage{OutAudio: 8, Requests: 1}},
			func(_, got int64) bool { return got == 9 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := ReadAsk(test.endpoint, []byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if !test.wantInput(int64(len(test.body)), got.Estimate.InText) {
				t.Errorf("%d tokens of input for %d bytes", got.Estimate.InText, len(test.body))
			}
			got.Estimate.InText = 0
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func halfOfTheBody(bodyBytes, got int64) bool { return got == bodyBytes/2+1 }

func TestReadAskNamesTheField(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``: "body must be a JSON object", `[]`: "body must be a JSON object", `{"model":`: "body must be a JSON object",
		`{}`: "model is missing", `{"model":""}`: "model is missing", `{"model":7}`: "model must be a text",
		`{"model":"m","n":0}`:                                "n must be a whole number from 1 to 128",
		`{"model":"m","n":129}`:                              "n must be",
		`{"model":"m","n":1.5}`:                              "n must be a whole number",
		`{"model":"m","max_tokens":-1}`:                      "max_tokens must be",
		`{"model":"m","max_completion_tokens":1e30}`:         "max_completion_tokens must be a whole number",
		`{"model":"m","max_output_tokens":"7"}`:              "max_output_tokens must be a whole number",
		`{"model":"m","max_tokens":9223372036854775807}`:     "max_tokens must be",
		`{"model":"m","stream":"yes"}`:                       "stream must be a true or false",
		`{"model":"m","stream_options":{"include_usage":1}}`: "include_usage must be",
	} {
		_, err := ReadAsk(ChatCompletions, []byte(body))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
}

// What our decoder would read and a provider would not is refused.
func TestCheckSpelling(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]string{"Model": "model", "MAX_TOKENS": "max_tokens", "\u017ftream": "stream", "max_to\u212aens": "max_tokens", "N": "n"} {
		if err := CheckSpelling(name); err == nil || !strings.HasSuffix(err.Error(), " must be written "+known) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"model", "max_tokens", "stream", "n", "temperature", "Temperature", "guided_json", ""} {
		if err := CheckSpelling(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A picture costs by its size on the screen, not by the bytes of its text.
func TestMediaAreNotText(t *testing.T) {
	t.Parallel()
	picture := strings.Repeat("iVBORw0KGgo", 10_000)
	tests := []struct {
		name, body  string
		least, most int64
	}{
		{"a picture inside", `{"model":"m","messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + picture + `"}}]}]}`,
			mediumTokens, mediumTokens + 110_000/mediumBytesPerToken + 100},
		{"a picture elsewhere", `{"model":"m","messages":[{"content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]}`,
			mediumTokens, mediumTokens + 100},
		{"two for Anthropic", `{"model":"m","messages":[{"content":[{"type": "image","source":{}},{"type":"document","source":{}}]}]}`,
			2 * mediumTokens, 2*mediumTokens + 100},
		{"a long text is a text", `{"model":"m","messages":[{"content":"` + strings.Repeat("a word ", 10_000) + `"}]}`, 35_000, 35_100},
		{"a name is no part", `{"model":"m","image":7,"file":8}`, 1, 100},
	}
	for _, test := range tests {
		got, err := ReadAsk(ChatCompletions, []byte(test.body))
		if err != nil || got.Estimate.InText < test.least || got.Estimate.InText > test.most {
			t.Errorf("%s: %d tokens (%v), want %d to %d", test.name, got.Estimate.InText, err, test.least, test.most)
		}
	}
}

// A part that is heard is counted as sound, however its type is written.
func TestSoundIsNotText(t *testing.T) {
	t.Parallel()
	sound := strings.Repeat("UklGRiQ", 10_000)
	part := func(kind string) string {
		return `{"model":"m","messages":[{"role":"user","content":[{"type":` + kind + `,"input_audio":{"data":"` + sound + `","format":"wav"}}]}]}`
	}
	for _, test := range []struct {
		name, body string
		want       int64
	}{
		{"a part", part(`"input_audio"`), 1 + 70_000/soundBytesPerToken},
		{"with an escape", part(`"input\u005faudi\u006f"`), 1 + 70_000/soundBytesPerToken},
		{"an escaped member", `{"model":"m","input":[{"content":[{"t\u0079pe" : "input_audio","input_audio":{"data":"UklG"}}]}]}`, 1},
		{"another type", part(`"input_sound"`), 0},
		{"a text that says so", `{"model":"m","messages":[{"role":"user","content":"input_audio"}]}`, 0},
		{"a text that quotes a part", `{"model":"m","messages":[{"role":"user","content":"{\"type\":\"input_audio\"}"}]}`, 0},
		{"a long text with an escape", `{"model":"m","messages":[{"type":"` + strings.Repeat(`\u0061`, 20_000) + `"}]}`, 0},
	} {
		for _, endpoint := range []Endpoint{ChatCompletions, Responses, Messages} {
			got, err := ReadAsk(endpoint, []byte(test.body))
			if err != nil || got.Estimate.InAudio != test.want {
				t.Errorf("%s, %s: %d tokens of sound (%v), want %d", endpoint, test.name, got.Estimate.InAudio, err, test.want)
			}
		}
	}
}

func TestEstimateAudio(t *testing.T) {
	t.Parallel()
	if got, want := EstimateAudio(100_000), (pricing.Usage{Milliseconds: 51_000, InAudio: 510, OutText: 255, Requests: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, size := range []int64{-1, 0, 1, 1 << 40, 1<<63 - 1} {
		if err := EstimateAudio(size).Validate(); err != nil || EstimateAudio(size).Milliseconds > pricing.MaxMilliseconds {
			t.Errorf("%d bytes: %+v, %v", size, EstimateAudio(size), err)
		}
	}
}
