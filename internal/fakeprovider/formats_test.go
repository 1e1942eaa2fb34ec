package fakeprovider

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const (
	hello    = `"messages":[{"role":"user","content":"hello there"}]`
	withTool = `"tools":[{"type":"function","function":{"name":"weather","parameters":{"properties":{"city":{"type":"string"}}}}}]`
)

// One row a format: where its usage is, and what the rule makes of the request.
func TestTheUsageFollowsFromTheRequest(t *testing.T) {
	address := start(t)
	for _, test := range []struct {
		name, path, switches, body string
		want                       map[string]float64 // by path, with dots
	}{
		{"chat", "chat/completions", "", `{"model":"m",` + hello + `}`,
			map[string]float64{"usage.prompt_tokens": 2, "usage.completion_tokens": 6, "usage.total_tokens": 8}},
		{"several answers", "chat/completions", "", `{"model":"m","n":3,` + hello + `}`,
			map[string]float64{"usage.prompt_tokens": 2, "usage.completion_tokens": 18}},
		{"a bound", "chat/completions", "words=50", `{"model":"m","max_tokens":5,` + hello + `}`,
			map[string]float64{"usage.completion_tokens": 5}},
		{"cached and thought", "chat/completions", "cached=1,reasoning=9", `{"model":"m",` + hello + `}`,
			map[string]float64{"usage.prompt_tokens": 2, "usage.prompt_tokens_details.cached_tokens": 1, "usage.completion_tokens": 15, "usage.completion_tokens_details.reasoning_tokens": 9}},
		{"a tool", "chat/completions", "", `{"model":"m",` + hello + `,` + withTool + `}`,
			map[string]float64{"usage.completion_tokens": ToolTokens}},
		{"sound in and out", "chat/completions", "words=4", `{"model":"m","modalities":["text","audio"],"messages":[{"role":"user","content":[{"type":"text","text":"say it"},{"type":"input_audio","input_audio":{}}]}]}`,
			map[string]float64{"usage.prompt_tokens": 12, "usage.prompt_tokens_details.audio_tokens": 10, "usage.completion_tokens": 8, "usage.completion_tokens_details.audio_tokens": 8}},
		{"an image in", "chat/completions", "", `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:"}}]}]}`,
			map[string]float64{"usage.prompt_tokens": ImageTokens}},
		{"zero", "chat/completions", "usage=zero", `{"model":"m",` + hello + `}`,
			map[string]float64{"usage.prompt_tokens": 0, "usage.completion_tokens": 0}},
		{"wrong", "chat/completions", "usage=wrong", `{"model":"m",` + hello + `}`,
			map[string]float64{"usage.prompt_tokens": 2, "usage.prompt_tokens_details.cached_tokens": 9}},
		{"huge", "chat/completions", "in=5000000,out=7000000", `{"model":"m",` + hello + `}`,
			map[string]float64{"usage.prompt_tokens": 5_000_000, "usage.completion_tokens": 7_000_000}},
		{"responses", "responses", "cached=1", `{"model":"m","input":"hello there","instructions":"be kind"}`,
			map[string]float64{"usage.input_tokens": 4, "usage.input_tokens_details.cached_tokens": 1, "usage.output_tokens": 6, "usage.total_tokens": 10}},
		{"messages", "messages", "cached=1,written=2", `{"model":"m","max_tokens":99,"system":"be kind to me",` + hello + `}`,
			map[string]float64{"usage.input_tokens": 3, "usage.cache_read_input_tokens": 1, "usage.cache_creation_input_tokens": 2, "usage.output_tokens": 6}},
		{"embeddings", "embeddings", "", `{"model":"m","input":["one two","three"]}`,
			map[string]float64{"usage.prompt_tokens": 3, "usage.total_tokens": 3}},
		{"embeddings of tokens", "embeddings", "", `{"model":"m","input":[[1,2,3],[4]]}`, map[string]float64{"usage.prompt_tokens": 4}},
		{"images", "images/generations", "", `{"model":"m","prompt":"a red cat","n":2}`,
			map[string]float64{"usage.input_tokens": 3, "usage.output_tokens": 2 * MadeImageTokens}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := post(t, address+"/v1/"+test.path, test.switches, test.body)
			if got.status != http.StatusOK {
				t.Fatalf("answers %d: %s", got.status, got.body)
			}
			for path, want := range test.want {
				if value := got.at(t, steps(path)...); value != want {
					t.Errorf("%s is %v, not %v: %s", path, value, want, got.body)
				}
			}
		})
	}
}

func steps(path string) (steps []any) {
	for step := range strings.SplitSeq(path, ".") {
		steps = append(steps, step)
	}
	return steps
}

func TestAMissingUsageIsNotThere(t *testing.T) {
	address := start(t)
	for path, body := range map[string]string{
		"chat/completions":   `{"model":"m",` + hello + `}`,
		"messages":           `{"model":"m","max_tokens":9,` + hello + `}`,
		"embeddings":         `{"model":"m","input":"a"}`,
		"images/generations": `{"model":"m","prompt":"a"}`,
	} {
		got := post(t, address+"/v1/"+path, "usage=missing", body)
		if got.status != http.StatusOK || strings.Contains(string(got.body), `"usage"`) {
			t.Errorf("%s answers %d %s", path, got.status, got.body)
		}
	}
	response := post(t, address+"/v1/responses", "usage=missing", `{"model":"m","input":"a"}`)
	if response.at(t, "usage") != nil {
		t.Errorf("responses answers %s", response.body)
	}
}

// The order of events is part of a format: SDKs assemble by it.
func TestAStreamHasTheEventsOfItsFormat(t *testing.T) {
	address := start(t)
	for _, test := range []struct{ name, path, body, types, last string }{
		{"responses", "responses", `{"model":"m","stream":true,"input":"hi"}`,
			"response.created response.in_progress response.output_item.added response.content_part.added response.output_text.delta " +
				"response.output_text.done response.content_part.done response.output_item.done response.completed",
			`"input_tokens":1,`},
		{"a response that is cut short", "responses", `{"model":"m","stream":true,"input":"hi","max_output_tokens":2}`,
			"response.created response.in_progress response.output_item.added response.content_part.added response.output_text.delta " +
				"response.output_text.done response.content_part.done response.output_item.done response.incomplete",
			`"output_tokens":2,`},
		{"a response with a tool", "responses", `{"model":"m","stream":true,"input":"hi","tools":[{"type":"function","name":"weather"}]}`,
			"response.created response.in_progress response.output_item.added response.function_call_arguments.delta " +
				"response.function_call_arguments.done response.output_item.done response.completed",
			`"name":"weather"`},
		{"messages", "messages", `{"model":"m","max_tokens":9,"stream":true,` + hello + `}`,
			"message_start content_block_start ping content_block_delta content_block_stop message_delta message_stop", `message_stop`},
		{"an image", "images/generations", `{"model":"m","stream":true,"prompt":"cat"}`,
			"image_generation.partial_image image_generation.completed", `"output_tokens":100`},
		{"a speech", "audio/speech", `{"model":"m","stream_format":"sse","voice":"alloy","input":"one two"}`,
			"speech.audio.delta speech.audio.done", `"output_tokens":4`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := post(t, address+"/v1/"+test.path, "", test.body)
			if types := got.types(t); types != test.types {
				t.Errorf("sends %s", types)
			}
			events := got.events()
			if last := events[len(events)-1]; !strings.Contains(last, test.last) {
				t.Errorf("ends with %s", last)
			}
		})
	}
}

// The parts of a stream are the same as the whole.
func TestAStreamOfChatIsTheWholeInPieces(t *testing.T) {
	address := start(t)
	got := post(t, address+"/v1/chat/completions", "", `{"model":"m","stream":true,"stream_options":{"include_usage":true},`+hello+`}`)
	events := got.events()
	if len(events) != 1+6+1+1+1 {
		t.Fatalf("%d events: %s", len(events), got.body)
	}
	text := ""
	for _, event := range events[1:7] {
		text += valueAt(t, []byte(event), "choices", 0, "delta", "content").(string)
		if !strings.Contains(event, `"usage":null`) {
			t.Errorf("a chunk without its null usage: %s", event)
		}
	}
	if text != "The fake provider heard: hello there" {
		t.Errorf("says %q", text)
	}
	if usage := events[8]; valueAt(t, []byte(usage), "usage", "completion_tokens") != 6.0 || !strings.Contains(usage, `"choices":[]`) {
		t.Errorf("the usage is %s", usage)
	}
	if events[9] != "[DONE]" {
		t.Errorf("ends with %s", events[9])
	}
	plain := post(t, address+"/v1/chat/completions", "", `{"model":"m","stream":true,`+hello+`}`)
	if strings.Contains(string(plain.body), "usage") {
		t.Errorf("usage that nobody asked for: %s", plain.body)
	}
}

func TestCumulativeCountsOfAMessage(t *testing.T) {
	got := post(t, start(t)+"/v1/messages", "cached=1", `{"model":"m","max_tokens":9,"stream":true,`+hello+`}`)
	events := got.events()
	usage := func(event string, path ...any) any { return valueAt(t, []byte(event), path...) }
	if usage(events[0], "message", "usage", "output_tokens") != 1.0 || usage(events[0], "message", "usage", "input_tokens") != 1.0 {
		t.Errorf("starts with %s", events[0])
	}
	if last := events[len(events)-2]; usage(last, "usage", "output_tokens") != 6.0 {
		t.Errorf("ends with %s", last)
	}
}

func TestTranscriptions(t *testing.T) {
	address := start(t) + "/v1/audio/transcriptions"
	const twoSeconds = AudioBytesPerSecond + 1
	tokens := postFile(t, address, twoSeconds, map[string]string{"model": "gpt-4o-transcribe"})
	if tokens.at(t, "usage", "input_tokens") != 20.0 || tokens.at(t, "usage", "output_tokens") != 6.0 {
		t.Errorf("tokens: %s", tokens.body)
	}
	for _, format := range []string{"json", "verbose_json"} {
		duration := postFile(t, address, twoSeconds, map[string]string{"model": "whisper-1", "response_format": format})
		if duration.at(t, "usage", "seconds") != 2.0 {
			t.Errorf("%s: %s", format, duration.body)
		}
	}
	for format, want := range map[string]string{"text": "The fake", "srt": "--> 00:00:02,000", "vtt": "WEBVTT"} {
		plain := postFile(t, address, twoSeconds, map[string]string{"model": "whisper-1", "response_format": format})
		if !strings.Contains(string(plain.body), want) || !strings.HasPrefix(plain.header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %s", format, plain.body)
		}
	}
	stream := postFile(t, address, twoSeconds, map[string]string{"model": "gpt-4o-transcribe", "stream": "true"})
	if types := stream.types(t); types != "transcript.text.delta transcript.text.done" {
		t.Errorf("a stream of %s", types)
	}
	if missing := postFile(t, address, 0, map[string]string{"model": "whisper-1"}); missing.status != http.StatusBadRequest {
		t.Errorf("an empty file answers %d", missing.status)
	}
}

func TestASpeechIsSound(t *testing.T) {
	address := start(t) + "/v1/audio/speech"
	got := post(t, address, "", `{"model":"m","voice":"alloy","input":"one two","response_format":"wav"}`)
	if got.header.Get("Content-Type") != "audio/wav" || len(got.body) != len("one two")*bytesPerSpokenByte {
		t.Errorf("%s of %d bytes", got.header.Get("Content-Type"), len(got.body))
	}
	if refused := post(t, address, "", `{"model":"m","input":"one","response_format":"tape"}`); refused.status != http.StatusBadRequest {
		t.Errorf("a tape answers %d", refused.status)
	}
}

func TestEmbeddingsAsNumbersAndAsBytes(t *testing.T) {
	address := start(t) + "/v1/embeddings"
	numbers := post(t, address, "", `{"model":"m","input":["a","b"],"dimensions":4}`)
	if fmt.Sprint(numbers.at(t, "data", 1, "embedding")) != "[0 1 0 0]" {
		t.Errorf("numbers: %s", numbers.body)
	}
	packed := post(t, address, "", `{"model":"m","input":"a","dimensions":1,"encoding_format":"base64"}`)
	if packed.at(t, "data", 0, "embedding") != "AACAPw==" { // 1 as a float32
		t.Errorf("bytes: %s", packed.body)
	}
}

func TestAToolIsCalledWithArgumentsThatFit(t *testing.T) {
	address := start(t)
	schema := `{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},"unit":{"type":"string","enum":["C","F"]},"exact":{"type":"boolean"}}}`
	want := `{"city":"fake city","days":1,"exact":true,"unit":"C"}`
	chat := post(t, address+"/v1/chat/completions", "", `{"model":"m",`+hello+`,"tools":[{"type":"function","function":{"name":"weather","parameters":`+schema+`}}]}`)
	if got := chat.at(t, "choices", 0, "message", "tool_calls", 0, "function", "arguments"); got != want {
		t.Errorf("chat calls with %v", got)
	}
	if reason := chat.at(t, "choices", 0, "finish_reason"); reason != "tool_calls" {
		t.Errorf("chat ends because of %v", reason)
	}
	message := post(t, address+"/v1/messages", "", `{"model":"m","max_tokens":9,`+hello+`,"tools":[{"name":"weather","input_schema":`+schema+`}]}`)
	if message.at(t, "content", 0, "input", "city") != "fake city" || message.at(t, "stop_reason") != "tool_use" {
		t.Errorf("messages: %s", message.body)
	}
	for name, rest := range map[string]string{
		"a result is there":  `"messages":[{"role":"user","content":"hi"},{"role":"tool","tool_call_id":"call_fake","content":"sunny"}],` + withTool,
		"tools are not open": hello + `,"tool_choice":"none",` + withTool,
	} {
		got := post(t, address+"/v1/chat/completions", "", `{"model":"m",`+rest+`}`)
		if text, ok := got.at(t, "choices", 0, "message", "content").(string); !ok || text == "" {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}

func TestABadRequestIsRefusedInItsDialect(t *testing.T) {
	address := start(t)
	for _, test := range []struct{ path, body, field string }{
		{"chat/completions", `{` + hello + `}`, "model"},
		{"chat/completions", `{"model":"m"}`, "messages"},
		{"chat/completions", `{"model":"m","temperature":3,` + hello + `}`, "temperature"},
		{"chat/completions", `{"model":"m","n":1000000000,` + hello + `}`, "n"},
		{"responses", `{"model":"m"}`, "input"},
		{"images/generations", `{"model":"m"}`, "prompt"},
	} {
		got := post(t, address+"/v1/"+test.path, "", test.body)
		if got.status != http.StatusBadRequest || got.at(t, "error", "param") != test.field {
			t.Errorf("%s %s answers %d %s", test.path, test.body, got.status, got.body)
		}
	}
	for _, body := range []string{`{"model":"m",` + hello + `}`, `{"max_tokens":`} {
		got := post(t, address+"/v1/messages", "", body)
		if got.status != http.StatusBadRequest || got.at(t, "type") != "error" || got.at(t, "error", "type") != "invalid_request_error" {
			t.Errorf("messages %s answers %d %s", body, got.status, got.body)
		}
	}
	if got := post(t, address+"/v1/no/such", "", `{}`); got.status != http.StatusNotFound {
		t.Errorf("an unknown route answers %d", got.status)
	}
}

func TestModelsAndTheAddressesOfAzure(t *testing.T) {
	address := start(t)
	response, err := http.Get(address + "/v1/models")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("models answers %d", response.StatusCode)
	}
	for path, model := range map[string]string{
		"/openai/deployments/mine/chat/completions?api-version=2024-10-21": "mine",
		"/openai/v1/chat/completions":                                      "m",
	} {
		if got := post(t, address+path, "", `{"model":"m",`+hello+`}`); got.at(t, "model") != model {
			t.Errorf("%s answers %s", path, got.body)
		}
	}
}

// Whatever is sent is answered, with an answer or an error of the route's dialect.
func FuzzRequests(f *testing.F) {
	for _, body := range []string{
		`{"model":"m",` + hello + `}`, `{"model":"m","input":[[1,2],"a",{"type":"input_image"}]}`, `{"model":"m","tools":[{"name":"x"}],` + hello + `}`,
		`{"model":"m","stream":true,"prompt":"","n":-1}`, `{"model":"m","input":"","stream_format":"sse"}`, `null`, `[`, `{"model":7}`,
	} {
		f.Add(body)
	}
	handler := Handler()
	f.Fuzz(func(t *testing.T, body string) {
		if strings.Contains(body, fieldPrefix) {
			return // switches may make it hang, or break off
		}
		for _, path := range []string{"chat/completions", "responses", "messages", "embeddings", "audio/speech", "images/generations"} {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/v1/"+path, strings.NewReader(body)))
			if answer.Code != http.StatusOK && answer.Code != http.StatusBadRequest {
				t.Errorf("%s answers %d to %q", path, answer.Code, body)
			}
		}
	})
}
