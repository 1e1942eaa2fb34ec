package metering

import (
	"fmt"
	"strings"
	"testing"

	"sokuji/internal/pricing"
)

// A second of sound is 20 tokens, in whatever format it comes.
func TestSoundIsCountedByItsFormat(t *testing.T) {
	t.Parallel()
	for format, bytesPerSecond := range map[string]int{"pcm16": 48_000, "wav": 48_000, "flac": 24_000, "mp3": 8_000, "aac": 8_000, "opus": 4_000, "of later": 4_000} {
		body := fmt.Sprintf(`{"model":"m","stream":true,"modalities":["text","audio"],"audio":{"voice":"alloy","format":%q}}`, format)
		ask, err := ReadAsk(ChatCompletions, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		meter := NewMeter(ChatCompletions, ask)
		const seconds = 60
		for range seconds {
			meter.Event([]byte(`{"choices":[{"delta":{"audio":{"id":"a","data":"` + strings.Repeat("A", bytesPerSecond*4/3) + `","transcript":"hi"}}}]}`))
		}
		got := meter.Counted()
		if got.OutText != seconds || got.OutAudio < seconds*spokenTokensPerSecond || got.OutAudio > seconds*spokenTokensPerSecond*101/100 {
			t.Errorf("%s: %+v", format, got)
		}
	}
}

// What no sound was asked of has none: other members are called data, too.
func TestOtherDataIsNoSound(t *testing.T) {
	t.Parallel()
	event := `{"choices":[{"delta":{"reasoning_details":[{"type":"reasoning.encrypted","data":"` + strings.Repeat("A", 90_000) + `"}]}}]}`
	if got := read(ChatCompletions, event).Counted(); got != (pricing.Usage{}) {
		t.Errorf("got %+v", got)
	}
}

// The name is read as a provider reads it.
func TestTheFormatOfASound(t *testing.T) {
	t.Parallel()
	for audio, want := range map[string]string{
		`{"format":"opus","Format":"pcm16"}`: "opus", `{"voice":"alloy"}`: "", `"opus"`: "", `null`: "", `{"format":7}`: "", `{"f\u006frmat":"mp3"}`: "mp3",
	} {
		ask, err := ReadAsk(ChatCompletions, []byte(`{"model":"m","modalities":["audio"],"audio":`+audio+`}`))
		if err != nil || ask.SoundFormat != want {
			t.Errorf("%s: %q, %v", audio, ask.SoundFormat, err)
		}
	}
}

// Speech and pictures are what was asked for as soon as there is any.
func TestWhatIsMadeAsAWhole(t *testing.T) {
	t.Parallel()
	asked := Ask{Estimate: pricing.Usage{InText: 3, OutText: 5, OutAudio: 7}}
	for _, test := range []struct {
		endpoint Endpoint
		before   string
		begins   string
	}{
		{Speech, `{"type":"speech.started"}`, `{"type":"speech.audio.delta","audio":"AAAA"}`},
		{Speech, ``, `{"audio":"` + strings.Repeat("A", 1000) + `","type":"speech.audio.delta"}`},
		{Images, `{"type":"image_generation.queued"}`, `{"type":"image_generation.partial_image","b64_json":"AAAA"}`},
		{Images, ``, `{"type":"image_generation.completed","b64_json":"AAAA"}`},
	} {
		meter := NewMeter(test.endpoint, asked)
		meter.Event([]byte(test.before))
		if got := meter.Counted(); got != (pricing.Usage{}) || !meter.HasNothing() {
			t.Errorf("%s before it begins: %+v", test.endpoint, got)
		}
		meter.Event([]byte(test.begins))
		if got := meter.Counted(); got != (pricing.Usage{OutText: 5, OutAudio: 7}) || meter.HasNothing() {
			t.Errorf("%s: %+v", test.endpoint, got)
		}
	}
}

func TestAMeterKnowsAFailure(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name            string
		endpoint        Endpoint
		events          []string
		nothing, failed bool
	}{
		{"nothing at all", ChatCompletions, []string{`[DONE]`}, true, true},
		{"an error", ChatCompletions, []string{`{"error":{"message":"x"}}`, `[DONE]`}, true, true},
		{"an empty answer", ChatCompletions, []string{`{"choices":[{"delta":{"content":""},"finish_reason":"stop"}]}`, `[DONE]`}, true, false},
		{"an error after output", ChatCompletions, []string{`{"choices":[{"delta":{"content":"a"}}]}`, `{"error":{"message":"x"}}`}, false, true},
		{"a failed response", Responses, []string{`{"type":"response.created","response":{"error":null,"usage":null}}`, `{"type":"response.failed","response":{"status":"failed","error":{},"usage":null}}`}, true, true},
		{"one with counts", Responses, []string{`{"type":"response.failed","response":{"error":{},"status":"failed","usage":{"input_tokens":0,"output_tokens":0}}}`}, false, true},
	} {
		meter := read(test.endpoint, test.events...)
		if meter.HasNothing() != test.nothing || meter.HasFailed() != test.failed {
			t.Errorf("%s: nothing %v, failed %v", test.name, meter.HasNothing(), meter.HasFailed())
		}
	}
}
