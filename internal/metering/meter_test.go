package metering

import (
	"strings"
	"testing"

	"sokuji/internal/pricing"
)

// read feeds a stream to a meter.
func read(endpoint Endpoint, events ...string) *Meter {
	meter := NewMeter(endpoint, Ask{})
	for _, event := range events {
		meter.Event([]byte(event))
	}
	return meter
}

func TestMeterReadsStreams(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		endpoint Endpoint
		events   []string
		want     pricing.Usage
		id       string
	}{
		{"chat", ChatCompletions, []string{
			`{"id":"chatcmpl-1","choices":[{"delta":{"role":"assistant","content":""}}],"usage":null}`,
			`{"id":"chatcmpl-1","choices":[{"delta":{"content":"hi"}}],"usage":null}`,
			`{"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`, `[DONE]`,
		}, pricing.Usage{InText: 10, OutText: 5}, "chatcmpl-1"},
		{"chat that tells the usage so far in each chunk", ChatCompletions, []string{
			`{"id":"c","usage":{"prompt_tokens":10,"completion_tokens":1}}`, `{"id":"c","usage":{"prompt_tokens":10,"completion_tokens":2}}`,
			`{"id":"c","usage":{"prompt_tokens":10,"completion_tokens":3}}`,
		}, pricing.Usage{InText: 10, OutText: 3}, "c"},
		{"a null after the usage", ChatCompletions, []string{
			`{"id":"c","usage":{"prompt_tokens":10,"completion_tokens":3}}`, `{"id":"c","choices":[],"usage": null}`,
		}, pricing.Usage{InText: 10, OutText: 3}, "c"},
		{"an empty usage after the usage", ChatCompletions, []string{
			`{"id":"c","usage":{"prompt_tokens":10,"completion_tokens":3}}`, `{"id":"c","choices":[],"usage":{}}`,
		}, pricing.Usage{InText: 10, OutText: 3}, "c"},
		{"a null before another usage", ChatCompletions, []string{
			`{"id":"c"}`, `{"choices":[{"usage":null}],"usage":{"prompt_tokens":10,"completion_tokens":3}}`,
		}, pricing.Usage{InText: 10, OutText: 3}, "c"},
		{"Groq's chat", ChatCompletions, []string{`{"id":"c","x_groq":{"id":"req_1","usage":{"prompt_tokens":10,"completion_tokens":3}}}`},
			pricing.Usage{InText: 10, OutText: 3}, "c"},
		{"a text that speaks of usage", ChatCompletions, []string{
			`{"id":"c","choices":[{"delta":{"content":"{\"usage\":{\"prompt_tokens\":9}}"}}]}`,
			`{"id":"c","usage":{"prompt_tokens":1,"completion_tokens":1}}`,
		}, pricing.Usage{InText: 1, OutText: 1}, "c"},
		{"responses", Responses, []string{
			`{"type":"response.created","response":{"id":"resp_1","usage":null}}`,
			`{"type":"response.output_text.delta","item_id":"m","delta":"hello"}`,
			`{"type":"response.completed","response":{"id":"resp_1","output":[],"usage":{"input_tokens":7,"output_tokens":2,"input_tokens_details":{"cached_tokens":3}}}}`,
		}, pricing.Usage{InText: 4, InCachedText: 3, OutText: 2}, "resp_1"},
		{"responses that fail", Responses, []string{
			`{"type":"response.failed","response":{"id":"resp_1","usage":{"input_tokens":7,"output_tokens":2}}}`,
		}, pricing.Usage{InText: 7, OutText: 2}, "resp_1"},
		{"messages", Messages, []string{
			`{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":10,"cache_creation_input_tokens":20,"cache_read_input_tokens":30,"cache_creation":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":0},"output_tokens":1}}}`,
			`{"type":"content_block_delta","delta":{"type":"text_delta","text":"hi"}}`,
			`{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":7}}`,
			`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":null,"cache_read_input_tokens":null,"output_tokens":15}}`,
			`{"type":"message_stop"}`,
		}, pricing.Usage{InText: 10, InCacheWrite5m: 20, InCachedText: 30, OutText: 15}, "msg_1"},
		{"messages that tell the input again", Messages, []string{
			`{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":10,"output_tokens":1}}}`,
			`{"type":"message_delta","usage":{"input_tokens":12,"cache_read_input_tokens":5,"output_tokens":15}}`,
		}, pricing.Usage{InText: 12, InCachedText: 5, OutText: 15}, "msg_1"},
		{"messages whose context was compacted", Messages, []string{
			`{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":10,"output_tokens":1}}}`,
			`{"type":"message_delta","usage":{"output_tokens":15,"iterations":[{"type":"compaction","input_tokens":50,"output_tokens":20},{"type":"message","input_tokens":10,"output_tokens":15}]}}`,
			`{"type":"message_delta","usage":{"output_tokens":16}}`,
		}, pricing.Usage{InText: 60, OutText: 35}, "msg_1"},
		{"a transcription", Transcriptions, []string{
			`{"type":"transcript.text.delta","delta":"hi"}`,
			`{"type":"transcript.text.done","text":"hi","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":2}}`,
		}, pricing.Usage{InAudio: 14, OutText: 2}, ""},
		{"speech", Speech, []string{
			`{"type":"speech.audio.delta","audio":"AAAA"}`, `{"type":"speech.audio.done","usage":{"input_tokens":14,"output_tokens":101}}`,
		}, pricing.Usage{InText: 14, OutAudio: 101}, ""},
		{"a picture", Images, []string{
			`{"type":"image_generation.completed","b64_json":"AAAA","usage":{"input_tokens":14,"output_tokens":272,"input_tokens_details":{"text_tokens":14,"image_tokens":0}}}`,
		}, pricing.Usage{InText: 14, OutText: 272}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := read(test.endpoint, test.events...).Report()
			if !got.Found || got.Usage != test.want || got.ResponseID != test.id {
				t.Errorf("got %+v of %q, found %v; want %+v of %q", got.Usage, got.ResponseID, got.Found, test.want, test.id)
			}
		})
	}
}

func TestAStreamWithoutUsageFindsNone(t *testing.T) {
	t.Parallel()
	got := read(ChatCompletions, `{"id":"c","choices":[{"delta":{"content":"hi"}}],"usage":null}`, `[DONE]`, ``, `{"usage":`).Report()
	if got.Found || got.ResponseID != "c" {
		t.Errorf("got %+v", got)
	}
}

func TestMeterCountsOutput(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		endpoint Endpoint
		events   []string
		want     int64
	}{
		{"a piece is a token at least", ChatCompletions, []string{`{"choices":[{"delta":{"content":"a"}}]}`, `{"choices":[{"delta":{"content": "b"}}]}`}, 2},
		{"long pieces by their bytes", ChatCompletions, []string{`{"choices":[{"delta":{"content":"` + strings.Repeat("a", 400) + `"}}]}`}, 100},
		{"a quote is part of the text", ChatCompletions, []string{`{"choices":[{"delta":{"content":"` + strings.Repeat(`\"a`, 20) + `"}}]}`}, 15},
		{"the empty beginning is none", ChatCompletions, []string{`{"choices":[{"delta":{"role":"assistant","content":""}}]}`, `{"choices":[{"delta":{"content":null}}]}`}, 0},
		{"arguments and thoughts", ChatCompletions, []string{
			`{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{\"a\":"}},{"function":{"arguments":"1}"}}]}}]}`,
			`{"choices":[{"delta":{"reasoning_content":"hm"}}]}`}, 3},
		{"responses, but not their repetition", Responses, []string{
			`{"type":"response.output_text.delta","delta":"hello"}`, `{"type":"response.output_text.done","text":"hello"}`,
			`{"type":"response.completed","response":{"output":[{"content":[{"text":"hello"}]}]}}`}, 2},
		{"a type at the end", Responses, []string{`{"delta":"` + strings.Repeat("a", 400) + `","item_id":"m","type":"response.output_text.delta"}`}, 100},
		{"messages", Messages, []string{
			`{"type":"content_block_start","content_block":{"type":"text","text":"no"}}`,
			`{"type":"content_block_delta","delta":{"type":"text_delta","text":"yes"}}`,
			`{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{}"}}`,
			`{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}}`}, 3},
		{"a transcription", Transcriptions, []string{`{"type":"transcript.text.delta","delta":"hi"}`, `{"type":"transcript.text.done","text":"hi"}`}, 1},
		{"a text that was cut", ChatCompletions, []string{`{"choices":[{"delta":{"content":"abcdefgh`}, 2},
	}
	for _, test := range tests {
		if got := read(test.endpoint, test.events...).Counted(); got != (pricing.Usage{OutText: test.want}) {
			t.Errorf("%s: got %+v, want %d of text", test.name, got, test.want)
		}
	}
}

func BenchmarkEventOfAStream(b *testing.B) {
	chunk := []byte(`{"id":"chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz","object":"chat.completion.chunk","created":1764000000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_0123456789","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"abcdefgh"}`)
	meter := NewMeter(ChatCompletions, Ask{})
	meter.Event(chunk)
	b.ReportAllocs()
	for b.Loop() {
		meter.Event(chunk)
	}
}

func BenchmarkParseBody(b *testing.B) {
	body := []byte(`{"id":"chatcmpl-1","choices":[{"message":{"role":"assistant","content":"` + strings.Repeat("word ", 400) +
		`"}}],"usage":{"prompt_tokens":10,"completion_tokens":400,"total_tokens":410,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0}}}`)
	b.ReportAllocs()
	for b.Loop() {
		ParseBody(ChatCompletions, body)
	}
}
