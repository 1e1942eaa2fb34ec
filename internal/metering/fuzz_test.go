package metering

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"sokuji/internal/pricing"
)

// Whatever a provider says: nothing panics, no count leaves its bounds, and no
// report has counts that were not found.
func checkReport(t *testing.T, report Report) {
	t.Helper()
	if err := report.Usage.Validate(); err != nil && len(report.Anomalies) == 0 {
		t.Fatalf("%+v: %v", report, err)
	}
	for _, count := range []int64{report.Usage.InputTokens(), report.Usage.OutputTokens(), report.Usage.Milliseconds} {
		if count < 0 {
			t.Fatalf("a negative count: %+v", report)
		}
	}
	if !report.Found && (report.Usage.InputTokens() != 0 || report.Usage.OutputTokens() != 0) {
		t.Fatalf("counts that were not found: %+v", report)
	}
	if len(report.ResponseID) > maxResponseIDBytes {
		t.Fatalf("a name of %d bytes", len(report.ResponseID))
	}
}

func FuzzParseBody(f *testing.F) {
	for _, body := range []string{
		`{"id":"c","usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":99,"prompt_tokens_details":{"cached_tokens":11,"audio_tokens":3}}}`,
		`{"usage":{"input_tokens":1e400,"output_tokens":-1,"cache_creation":{"ephemeral_1h_input_tokens":5}}}`,
		`{"type":"response.done","response":{"id":"r","usage":{"input_tokens":9,"input_token_details":{"cached_tokens_details":{"audio_tokens":7}}}}}`,
		`{"duration":"1.5","usage":{"type":"duration","seconds":2}}`, `{"usage":null}`, `[]`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, endpoint := range Endpoints() {
			checkReport(t, ParseBody(endpoint, body))
		}
		if IsFailure(body) && !json.Valid(body) || !IsNoAnswer(body) && !json.Valid(body) {
			t.Fatal("judged by what is no JSON")
		}
		event, billable := ParseRealtimeEvent(body)
		if !billable && (event.Type != "" || event.Report.Found) {
			t.Fatalf("%+v is not billable", event)
		}
		checkReport(t, event.Report)
	})
}

func FuzzMeter(f *testing.F) {
	f.Add([]byte(`{"id":"c","choices":[{"delta":{"content":"hi"}}]}`), []byte(`{"usage":{"prompt_tokens":1,"completion_tokens":2}}`))
	f.Add([]byte(`{"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1}}}`), []byte(`{"usage":{"output_tokens":7}}`))
	f.Add([]byte(`{"content":"\`), []byte(`"usage"`))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		for _, endpoint := range Endpoints() {
			meter := NewMeter(endpoint, Ask{Estimate: pricing.Usage{OutText: 5, OutAudio: 7}})
			for _, event := range [][]byte{first, second, first} {
				before := meter.Counted()
				meter.Event(event)
				if after := meter.Counted(); after.OutText < before.OutText || after.OutAudio < before.OutAudio {
					t.Fatal("what was counted became less")
				}
			}
			checkReport(t, meter.Report())
		}
	})
}

func FuzzReadAsk(f *testing.F) {
	for _, body := range []string{
		`{"model":"m","n":2,"max_tokens":5,"stream":true,"stream_options":{"include_usage":true}}`,
		`{"model":"m","input":"hello","instructions":"slow","stream_format":"sse"}`, `{"model":"m","x":"\`, `{"model":"m","n":1e9}`,
		`{"model":"m","messages":[{"content":[{"type":"image","source":{"type":"base64","data":"今天"}},{"type":"input_audio","input_audio":{"data":"\u4eca\ud83d\ude00"}}]}]}`,
		`{"model":"m","input":[{"id":"msg_1"},{"output":[{"file_data":"data:,JVBERi","image_url":["data:"]}]}],"previous_response_id":"r"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, endpoint := range Endpoints() {
			ask, err := ReadAsk(endpoint, body)
			if err != nil {
				continue
			}
			if ask.Model == "" || ask.Estimate.Validate() != nil || ask.MaxOutput < 0 || ask.Estimate.Requests < 1 {
				t.Fatalf("%s: %+v, %v", endpoint, ask, ask.Estimate.Validate())
			}
			if pricing.Union(ask.Estimate, ask.Counted) != ask.Estimate || ask.Counted.InText < 0 || ask.Counted.OutputTokens() != 0 {
				t.Fatalf("%s: %+v is counted, of at most %+v", endpoint, ask.Counted, ask.Estimate)
			}
			if !json.Valid(body) {
				t.Fatal("read from what is no JSON")
			}
			reader := inputReader{body: body, places: places[endpoint]}
			reader.read()
			if seen := reader.seen; seen.text.bytes+seen.mediaBytes+seen.soundBytes != int64(len(body)) {
				t.Fatalf("of %d bytes are counted %+v", len(body), seen)
			}
		}
	})
}

// The classes of the input add up to the input, and those of the output to the
// output, whatever the parts say.
func TestThePartsAreTheWhole(t *testing.T) {
	t.Parallel()
	number := rapid.Int64Range(-3, 40)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) int64 { return number.Draw(t, name) }
		in, out := max(draw("in"), 0), max(draw("out"), 0)
		parts := map[string]any{
			"text_tokens": draw("text"), "audio_tokens": draw("audio"), "image_tokens": draw("image"), "cached_tokens": draw("cached"),
			"cache_write_tokens": draw("written"),
			"cached_tokens_details": map[string]any{
				"text_tokens": draw("cached text"), "audio_tokens": draw("cached audio"), "image_tokens": draw("cached image")},
		}
		usage := map[string]any{
			"input_tokens": in, "output_tokens": out,
			"input_token_details":  parts,
			"output_token_details": map[string]any{"audio_tokens": draw("spoken"), "reasoning_tokens": draw("reasoned")},
		}
		body, err := json.Marshal(map[string]any{"usage": usage})
		if err != nil {
			t.Fatal(err)
		}
		for _, endpoint := range []Endpoint{ChatCompletions, Responses, Realtime, Transcriptions, Images} {
			got := ParseBody(endpoint, body)
			if !got.Found || got.Usage.InputTokens() != in || got.Usage.OutputTokens() != out {
				t.Fatalf("%s: %s became %+v", endpoint, body, got.Usage)
			}
			if err := got.Usage.Validate(); err != nil {
				t.Fatalf("%s: %v", body, err)
			}
		}
	})
}

// What a stream says last is what a whole answer would have said.
func TestAStreamSaysWhatItsLastEventSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.Int64Range(0, 1000), 2, 8).Draw(t, "counts")
		meter := NewMeter(ChatCompletions, Ask{})
		var last []byte
		for _, count := range counts {
			last, _ = json.Marshal(map[string]any{"id": "c", "usage": map[string]any{"prompt_tokens": 5, "completion_tokens": count}})
			meter.Event(last)
		}
		got, want := meter.Report(), ParseBody(ChatCompletions, last)
		if got.Usage != want.Usage || got.ResponseID != want.ResponseID || !slices.Equal(got.Anomalies, want.Anomalies) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}
