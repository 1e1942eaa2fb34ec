package metering

import (
	"slices"
	"strings"
	"testing"

	"sokuji/internal/pricing"
)

func TestParseBody(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		endpoint Endpoint
		body     string
		want     pricing.Usage
		odd      string // a part of the anomalies
	}{
		{"chat", ChatCompletions, `{"id":"chatcmpl-1","choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`,
			pricing.Usage{InText: 10, OutText: 5}, ""},
		{"chat, every detail", ChatCompletions, `{"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
			"prompt_tokens_details":{"cached_tokens":40,"audio_tokens":20,"cache_write_tokens":10},
			"completion_tokens_details":{"reasoning_tokens":30,"audio_tokens":8,"accepted_prediction_tokens":1,"rejected_prediction_tokens":2}}}`,
			pricing.Usage{InText: 30, InCachedText: 40, InCacheWrite5m: 10, InAudio: 20, OutText: 42, OutAudio: 8}, ""},
		{"an explicit zero", ChatCompletions, `{"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}`, pricing.Usage{}, ""},
		{"more is cached than there was text", ChatCompletions, `{"usage":{"prompt_tokens":100,"completion_tokens":0,"prompt_tokens_details":{"cached_tokens":90,"audio_tokens":30}}}`,
			pricing.Usage{InCachedText: 70, InAudio: 10, InCachedAudio: 20}, ""},
		{"cached above the prompt", ChatCompletions, `{"usage":{"prompt_tokens":10,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":11}}}`,
			pricing.Usage{InCachedText: 10, OutText: 1}, "cached_tokens above"},
		{"audio above the completion", ChatCompletions, `{"usage":{"prompt_tokens":1,"completion_tokens":5,"completion_tokens_details":{"audio_tokens":9}}}`,
			pricing.Usage{InText: 1, OutAudio: 5}, "output audio_tokens above"},
		{"what was reasoned beside the completion", ChatCompletions, `{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":45}}`,
			pricing.Usage{InText: 10, OutText: 35}, "total_tokens above"},
		{"a total that is none", ChatCompletions, `{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":99999999999999999999}}`,
			pricing.Usage{InText: 10, OutText: 5}, "total_tokens is no"},
		{"a number beyond the bound", ChatCompletions, `{"usage":{"prompt_tokens":1000000000001,"completion_tokens":5}}`,
			pricing.Usage{InText: pricing.MaxCount, OutText: 5}, "prompt_tokens is no"},
		{"DeepSeek's cache", ChatCompletions, `{"usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":6}}`,
			pricing.Usage{InText: 6, InCachedText: 4, OutText: 5}, ""},
		{"null details", ChatCompletions, `{"usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":null,"completion_tokens_details":{"audio_tokens":null}}}`,
			pricing.Usage{InText: 10, OutText: 5}, ""},
		{"whole numbers with a point", ChatCompletions, `{"usage":{"prompt_tokens":10.0,"completion_tokens":5.00}}`, pricing.Usage{InText: 10, OutText: 5}, ""},
		{"a negative count", ChatCompletions, `{"usage":{"prompt_tokens":-10,"completion_tokens":5}}`, pricing.Usage{OutText: 5}, "prompt_tokens is no plausible count"},
		{"a broken count", ChatCompletions, `{"usage":{"prompt_tokens":1.5,"completion_tokens":5}}`, pricing.Usage{OutText: 5}, "prompt_tokens is no"},
		{"a huge exponent", ChatCompletions, `{"usage":{"prompt_tokens":1e400,"completion_tokens":5}}`, pricing.Usage{OutText: 5}, "prompt_tokens is no"},
		{"a number beyond 64 bits", ChatCompletions, `{"usage":{"prompt_tokens":99999999999999999999999,"completion_tokens":5}}`,
			pricing.Usage{InText: pricing.MaxCount, OutText: 5}, "prompt_tokens is no"},
		{"text for a count", ChatCompletions, `{"usage":{"prompt_tokens":"10","completion_tokens":5}}`, pricing.Usage{OutText: 5}, "prompt_tokens is no"},
		{"details of another type", ChatCompletions, `{"usage":{"prompt_tokens":10,"prompt_tokens_details":7,"completion_tokens":5}}`, pricing.Usage{InText: 10, OutText: 5}, ""},
		{"the last of two usages", ChatCompletions, `{"usage":{"prompt_tokens":1,"completion_tokens":1},"usage":{"prompt_tokens":10,"completion_tokens":5}}`,
			pricing.Usage{InText: 10, OutText: 5}, ""},

		{"responses", Responses, `{"id":"resp_1","output":[],"usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":60,"cache_write_tokens":5},"output_tokens":50,"output_tokens_details":{"reasoning_tokens":20},"total_tokens":150}}`,
			pricing.Usage{InText: 35, InCachedText: 60, InCacheWrite5m: 5, OutText: 50}, ""},
		{"embeddings", Embeddings, `{"data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":8,"total_tokens":8}}`, pricing.Usage{InText: 8}, ""},
		{"embeddings, the total only", Embeddings, `{"usage":{"total_tokens":8}}`, pricing.Usage{InText: 8}, ""},
		{"pictures", Images, `{"data":[{"b64_json":"QUJD"}],"usage":{"input_tokens":60,"input_tokens_details":{"text_tokens":10,"image_tokens":50},"output_tokens":1056,"total_tokens":1116}}`,
			pricing.Usage{InText: 10, InImage: 50, OutText: 1056}, ""},

		{"transcription by tokens", Transcriptions, `{"text":"hi","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":4,"audio_tokens":10},"output_tokens":45,"total_tokens":59}}`,
			pricing.Usage{InText: 4, InAudio: 10, OutText: 45}, ""},
		{"transcription by tokens, undivided", Transcriptions, `{"usage":{"type":"tokens","input_tokens":14,"output_tokens":45}}`, pricing.Usage{InAudio: 14, OutText: 45}, ""},
		{"transcription by tokens that tells the time, too", Transcriptions, `{"usage":{"type":"tokens","seconds":9,"input_tokens":14,"output_tokens":45}}`,
			pricing.Usage{InAudio: 14, OutText: 45}, ""},
		{"transcription by time", Transcriptions, `{"text":"hi","usage":{"type":"duration","seconds":9}}`, pricing.Usage{Milliseconds: 9000}, ""},
		{"a verbose one", Transcriptions, `{"task":"transcribe","duration":8.470000267028809,"text":"hi","usage":{"type":"duration","seconds":9}}`, pricing.Usage{Milliseconds: 9000}, ""},
		{"an older verbose one", Transcriptions, `{"duration":8.470000267028809,"text":"hi"}`, pricing.Usage{Milliseconds: 8471}, ""},
		{"its duration as text", Transcriptions, `{"duration":"8.47","text":"hi"}`, pricing.Usage{Milliseconds: 8470}, ""},
		{"a negative duration", Transcriptions, `{"usage":{"type":"duration","seconds":-9}}`, pricing.Usage{}, "seconds is no plausible"},
		{"an endless duration", Transcriptions, `{"usage":{"type":"duration","seconds":1e300}}`, pricing.Usage{}, "seconds is no plausible"},

		{"messages", Messages, `{"id":"msg_1","type":"message","usage":{"input_tokens":10,"cache_creation_input_tokens":30,"cache_read_input_tokens":40,
			"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":5,"service_tier":"standard"}}`,
			pricing.Usage{InText: 10, InCachedText: 40, InCacheWrite5m: 10, InCacheWrite1h: 20, OutText: 5}, ""},
		{"messages, writes undivided", Messages, `{"usage":{"input_tokens":10,"cache_creation_input_tokens":30,"output_tokens":5}}`, pricing.Usage{InText: 10, InCacheWrite5m: 30, OutText: 5}, ""},
		{"messages, writes divided only", Messages, `{"usage":{"input_tokens":10,"cache_creation":{"ephemeral_1h_input_tokens":20},"output_tokens":5}}`, pricing.Usage{InText: 10, InCacheWrite1h: 20, OutText: 5}, ""},
		{"messages, more parts than writes", Messages, `{"usage":{"input_tokens":1,"cache_creation_input_tokens":10,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":5}}`,
			pricing.Usage{InText: 1, InCacheWrite1h: 10, OutText: 5}, "cache_creation above"},
		{"messages, nulls", Messages, `{"usage":{"input_tokens":10,"cache_creation_input_tokens":null,"cache_read_input_tokens":null,"cache_creation":null,"output_tokens":5,"server_tool_use":null}}`,
			pricing.Usage{InText: 10, OutText: 5}, ""},
		{"messages whose context was compacted", Messages, `{"usage":{"input_tokens":23000,"output_tokens":1000,"cache_read_input_tokens":5,"iterations":[
			{"type":"compaction","input_tokens":180000,"output_tokens":3500,"cache_creation_input_tokens":7},{"type":"message","input_tokens":23000,"output_tokens":1000}]}}`,
			pricing.Usage{InText: 203_000, InCachedText: 5, InCacheWrite5m: 7, OutText: 4500}, ""},
		{"messages with fewer iterations than counts", Messages, `{"usage":{"input_tokens":10,"output_tokens":5,"iterations":[{"type":"message","input_tokens":3,"output_tokens":9}]}}`,
			pricing.Usage{InText: 10, OutText: 9}, ""},
		{"messages with odd iterations", Messages, `{"usage":{"input_tokens":10,"output_tokens":5,"iterations":[{"input_tokens":-3},{"input_tokens":1e99,"output_tokens":"7"},{"output_tokens":8}]}}`,
			pricing.Usage{InText: 10, OutText: 8}, "iterations have odd counts"},
		{"messages with iterations beyond the bound", Messages, `{"usage":{"input_tokens":1,"output_tokens":5,"iterations":[{"input_tokens":1000000000000},{"input_tokens":1000000000000}]}}`,
			pricing.Usage{InText: pricing.MaxCount, OutText: 5}, ""},
		{"messages with another kind of iterations", Messages, `{"usage":{"input_tokens":10,"iterations":7,"output_tokens":5}}`, pricing.Usage{InText: 10, OutText: 5}, ""},
		{"messages with a tool of the server", Messages, `{"usage":{"input_tokens":10,"output_tokens":5,"server_tool_use":{"web_search_requests":2}}}`,
			pricing.Usage{InText: 10, OutText: 5}, "server_tool_use"},

		{"speech in events", Speech, `{"type":"speech.audio.done","usage":{"input_tokens":14,"output_tokens":101,"total_tokens":115}}`, pricing.Usage{InText: 14, OutAudio: 101}, ""},
		{"realtime", Realtime, `{"type":"response.done","response":{"id":"resp_1","status":"cancelled","usage":{"total_tokens":320,"input_tokens":200,"output_tokens":120,
			"input_token_details":{"text_tokens":90,"audio_tokens":80,"image_tokens":30,"cached_tokens":64,"cached_tokens_details":{"text_tokens":20,"audio_tokens":40,"image_tokens":4}},
			"output_token_details":{"text_tokens":20,"audio_tokens":100}}}}`,
			pricing.Usage{InText: 70, InAudio: 40, InImage: 26, InCachedText: 20, InCachedAudio: 40, InCachedImage: 4, OutText: 20, OutAudio: 100}, ""},
		{"realtime, the cached ones by their parts only", Realtime, `{"type":"response.done","response":{"usage":{"input_tokens":200,"output_tokens":0,
			"input_token_details":{"audio_tokens":80,"cached_tokens_details":{"audio_tokens":40}}}}}`,
			pricing.Usage{InText: 120, InAudio: 40, InCachedAudio: 40}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := ParseBody(test.endpoint, []byte(test.body))
			if !got.Found || got.Usage != test.want {
				t.Errorf("got %+v, found %v; want %+v", got.Usage, got.Found, test.want)
			}
			if odd := strings.Join(got.Anomalies, "; "); test.odd == "" && odd != "" || !strings.Contains(odd, test.odd) {
				t.Errorf("the anomalies are %q, want %q", odd, test.odd)
			}
		})
	}
}

func TestWithoutUsageNothingIsFound(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `{`, `[]`, `null`, `7`, `{}`, `{"usage":null}`, `{"usage":{}}`, `{"usage":[]}`, `{"usage":7}`, `{"usage":"prompt_tokens"}`,
		`{"usage":{"prompt_tokens":null}}`, `{"usage":{"other":5}}`, `{"choices":[{"usage":{"prompt_tokens":5}}]}`,
		`{"choices":[{"message":{"content":"{\"usage\":{\"prompt_tokens\":5}}"}}]}`, `{"usage":{"prompt_tokens":5}`,
	} {
		for _, endpoint := range Endpoints() {
			if got := ParseBody(endpoint, []byte(body)); got.Found || got.Usage != (pricing.Usage{}) {
				t.Errorf("%s of %s: got %+v", body, endpoint, got)
			}
		}
	}
}

func TestTheResponseIsNamed(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"id":"chatcmpl-1"}`: "chatcmpl-1",
		`{"type":"response.done","event_id":"e","response":{"id":"resp_1"}}`: "resp_1",
		`{"type":"message_start","message":{"id":"msg_1"}}`:                  "msg_1",
		`{"id":7}`: "",
		`{"id":"` + strings.Repeat("é", 300) + `"}`: strings.Repeat("é", maxResponseIDBytes/2),
	} {
		if got := ParseBody(ChatCompletions, []byte(body)).ResponseID; got != want {
			t.Errorf("%.60s is named %q, want %q", body, got, want)
		}
	}
}

func TestParseRealtimeEvent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, message string
		want          RealtimeEvent
		billable      bool
	}{
		{"a response", `{"type":"response.done","event_id":"e1","response":{"id":"resp_1","status":"completed","usage":{"input_tokens":3,"output_tokens":4}}}`,
			RealtimeEvent{Type: RealtimeResponseDone, ResponseID: "resp_1", DedupeKey: "response:resp_1",
				Report: Report{Usage: pricing.Usage{InText: 3, OutText: 4}, Found: true, ResponseID: "resp_1"}}, true},
		{"a response without usage", `{"type":"response.done","response":{"id":"resp_1","status":"failed"}}`,
			RealtimeEvent{Type: RealtimeResponseDone, ResponseID: "resp_1", DedupeKey: "response:resp_1", Report: Report{ResponseID: "resp_1"}}, true},
		{"a response without a name", `{"type":"response.done","response":{"usage":{"input_tokens":3,"output_tokens":4}}}`,
			RealtimeEvent{Type: RealtimeResponseDone, Report: Report{Usage: pricing.Usage{InText: 3, OutText: 4}, Found: true}}, true},
		{"a transcription by time", `{"type":"conversation.item.input_audio_transcription.completed","item_id":"item_1","content_index":2,"usage":{"type":"duration","seconds":2}}`,
			RealtimeEvent{Type: RealtimeTranscriptionDone, DedupeKey: "item:item_1:2", Report: Report{Usage: pricing.Usage{Milliseconds: 2000}, Found: true}}, true},
		{"a transcription by tokens", `{"type":"conversation.item.input_audio_transcription.completed","item_id":"item_1","content_index":0,"usage":{"type":"tokens","input_tokens":9,"input_token_details":{"audio_tokens":9},"output_tokens":3}}`,
			RealtimeEvent{Type: RealtimeTranscriptionDone, DedupeKey: "item:item_1:0", Report: Report{Usage: pricing.Usage{InAudio: 9, OutText: 3}, Found: true}}, true},
		{"a piece", `{"type":"response.output_audio.delta","response_id":"resp_1","delta":"AAAA"}`, RealtimeEvent{}, false},
		{"no JSON", `{"type":"response.done"`, RealtimeEvent{}, false},
	}
	for _, test := range tests {
		got, billable := ParseRealtimeEvent([]byte(test.message))
		if billable != test.billable || got.Type != test.want.Type || got.ResponseID != test.want.ResponseID || got.DedupeKey != test.want.DedupeKey ||
			got.Report.Usage != test.want.Report.Usage || got.Report.Found != test.want.Report.Found || got.Report.ResponseID != test.want.Report.ResponseID ||
			!slices.Equal(got.Report.Anomalies, test.want.Report.Anomalies) {
			t.Errorf("%s: got %+v, %v; want %+v", test.name, got, billable, test.want)
		}
	}
}
