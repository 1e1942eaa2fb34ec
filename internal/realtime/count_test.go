package realtime

import (
	"encoding/base64"
	"fmt"
	"testing"

	"sokuji/internal/pricing"
)

func TestWhatAResponseSaysIsCounted(t *testing.T) {
	spoken := func(bytes int) string {
		return fmt.Sprintf(`{"type":"response.output_audio.delta","delta":%q}`, base64.StdEncoding.EncodeToString(make([]byte, bytes)))
	}
	tests := map[string]struct {
		kind     string
		messages []string
		unit     int64
		want     pricing.Usage
	}{
		"nothing":           {kind: "response.output_text.delta"},
		"pieces":            {"response.output_text.delta", []string{`{"delta":"a"}`, `{"delta":"b"}`}, pcmBytesPerToken, pricing.Usage{OutText: 2}},
		"a long piece":      {"response.text.delta", []string{`{"delta": "12345678"}`}, pcmBytesPerToken, pricing.Usage{OutText: 2}},
		"escapes":           {"response.text.delta", []string{`{"delta":"\"\"\"\"\\"}`}, pcmBytesPerToken, pricing.Usage{OutText: 3}},
		"an empty piece":    {"response.text.delta", []string{`{"delta":""}`}, pcmBytesPerToken, pricing.Usage{}},
		"no delta":          {"response.text.delta", []string{`{"text":"a"}`, `{"delta":7}`, `{"delta":`, `{"delta":"x`}, pcmBytesPerToken, pricing.Usage{}},
		"a second of sound": {"response.output_audio.delta", []string{spoken(48_000)}, pcmBytesPerToken, pricing.Usage{OutAudio: 20}},
		"a little of sound": {"response.audio.delta", []string{spoken(3)}, pcmBytesPerToken, pricing.Usage{OutAudio: 1}},
		"a telephone":       {"response.audio.delta", []string{spoken(8_000)}, g711BytesPerToken, pricing.Usage{OutAudio: 20}},
		"a transcript":      {"response.output_audio_transcript.delta", []string{`{"delta":"word"}`}, pcmBytesPerToken, pricing.Usage{OutText: 1}},
		"arguments":         {"response.function_call_arguments.delta", []string{`{"delta":"{\"a\":1}"}`}, pcmBytesPerToken, pricing.Usage{OutText: 3}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var said counter
			for _, message := range test.messages {
				said.add(test.kind, []byte(message))
			}
			if got := said.usage(max(test.unit, 1)); got != test.want {
				t.Errorf("counted %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestTheSoundOfASession(t *testing.T) {
	for message, want := range map[string]int64{
		`{"session":{"output_audio_format":"pcm16"}}`:                       pcmBytesPerToken,
		`{"session":{"output_audio_format":"g711_ulaw"}}`:                   g711BytesPerToken,
		`{"session":{"audio":{"output":{"format":{"type":"audio/pcma"}}}}}`: g711BytesPerToken,
		`{"session":{"audio":{"output":{"format":{"type":"audio/pcm"}}}}}`:  pcmBytesPerToken,
		`{"session":{"audio":{"output":{"format":"odd"}},"model":"m"}}`:     0,
		`{"session":{}}`: 0, `{`: 0, `{"session":null}`: 0,
	} {
		if got := audioTokenBytes([]byte(message)); got != want {
			t.Errorf("%s: a token is %d bytes, want %d", message, got, want)
		}
	}
}

func TestOurCountFollowsTheSoundOfTheSession(t *testing.T) {
	wallet := newPurse(100_000_000)
	billing := NewTurns(wallet, "model", "model")
	audio := base64.StdEncoding.EncodeToString(make([]byte, g711BytesPerToken))
	tellStory(t, wallet, billing, []step{
		server(`{"type":"session.updated","session":{"output_audio_format":"g711_ulaw"}}`), server(created("a")),
		server(fmt.Sprintf(`{"type":"response.audio.delta","response_id":"a","delta":%q}`, audio)),
	})
	billing.Close(t.Context())
	wantBills(t, wallet, []string{fmt.Sprintf("response.part:a %d partial", cost(pricing.Usage{OutAudio: 1}))})
}
