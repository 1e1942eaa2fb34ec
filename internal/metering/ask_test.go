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
			Ask{Model: "m", MaxOutput: 9, PreviousResponse: "resp_1", Estimate: pricing.Usage{OutText: 9, Requests: 1}}, halfOfTheBody},
		{"a stored prompt", Responses, `{"model":"m","prompt":{"id":"pmpt_1"},"max_output_tokens":9}`,
			Ask{Model: "m", MaxOutput: 9, Estimate: pricing.Usage{OutText: 9, Requests: 1}},
			func(bodyBytes, got int64) bool { return got == bodyBytes/2+1+unseenContextTokens }},
		{"a member of another endpoint", ChatCompletions, `{"model":"m","previous_response_id":"resp_1","max_tokens":9}`,
			Ask{Model: "m", MaxOutput: 9, Estimate: pricing.Usage{OutText: 9, Requests: 1}}, halfOfTheBody},
		{"no bound that chat/completions know", ChatCompletions, `{"model":"m","max_output_tokens":1}`,
			Ask{Model: "m", MaxOutput: DefaultMaxOutput, Estimate: pricing.Usage{OutText: DefaultMaxOutput, Requests: 1}}, halfOfTheBody},
		{"no bound that responses know", Responses, `{"model":"m","max_tokens":1,"max_completion_tokens":1}`,
			Ask{Model: "m", MaxOutput: DefaultMaxOutput, Estimate: pricing.Usage{OutText: DefaultMaxOutput, Requests: 1}}, halfOfTheBody},
		{"no bound that messages know", Messages, `{"model":"m","max_completion_tokens":1,"max_output_tokens":1}`,
			Ask{Model: "m", MaxOutput: DefaultMaxOutput, Estimate: pricing.Usage{OutText: DefaultMaxOutput, Requests: 1}}, halfOfTheBody},
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
			got.Estimate.InText, got.Counted.InText = 0, 0
			test.want.Counted.Requests = test.want.Estimate.Requests
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
		`{"model":"m","previous_response_id":7}`:             "previous_response_id must be a text",
		`{"model":"m","stream":"yes"}`:                       "stream must be a true or false",
		`{"model":"m","stream_options":{"include_usage":1}}`: "include_usage must be",
	} {
		_, err := ReadAsk(ChatCompletions, []byte(body))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
}

func TestAnEmptyPreviousResponse(t *testing.T) {
	t.Parallel()
	_, err := ReadAsk(Responses, []byte(`{"model":"m","previous_response_id":""}`))
	if err == nil || !strings.HasPrefix(err.Error(), "previous_response_id is empty") {
		t.Errorf("got %v", err)
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

// A form's prompt is text that is read besides the sound.
func TestAskToTranscribe(t *testing.T) {
	t.Parallel()
	for prompt, want := range map[string][2]int64{"": {0, 0}, "a name": {4, 2}, strings.Repeat("今", 1_000): {1_501, 1_001}, "\xff\xff\xff": {2, 2}} {
		got := AskToTranscribe("m", true, 100_000, prompt)
		if got.Model != "m" || !got.Stream || got.Estimate.InText != want[0] || got.Counted.InText != want[1] {
			t.Errorf("%q: %+v, want %v", prompt, got, want)
		}
		if got.Estimate.OutText != 255 || got.Counted.OutText != 0 || got.Counted.Milliseconds != 51_000 || got.Counted.InAudio != 510 {
			t.Errorf("%q: the sound is %+v, of which %+v counted", prompt, got.Estimate, got.Counted)
		}
	}
}
