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
		"pieces":            {"response.output_text.delta", []string{`{"delta":"a"}`, `{"delta":"b"}`}, pcmBytesSaid, pricing.Usage{OutText: 2}},
		"a long piece":      {"response.text.delta", []string{`{"delta": "12345678"}`}, pcmBytesSaid, pricing.Usage{OutText: 2}},
		"escapes":           {"response.text.delta", []string{`{"delta":"\"\"\"\"\\"}`}, pcmBytesSaid, pricing.Usage{OutText: 3}},
		"an empty piece":    {"response.text.delta", []string{`{"delta":""}`}, pcmBytesSaid, pricing.Usage{}},
		"no delta":          {"response.text.delta", []string{`{"text":"a"}`, `{"delta":7}`, `{"delta":`, `{"delta":"x`}, pcmBytesSaid, pricing.Usage{}},
		"a second of sound": {"response.output_audio.delta", []string{spoken(48_000)}, pcmBytesSaid, pricing.Usage{OutAudio: 20}},
		"a little of sound": {"response.audio.delta", []string{spoken(3)}, pcmBytesSaid, pricing.Usage{OutAudio: 1}},
		"a telephone":       {"response.audio.delta", []string{spoken(8_000)}, g711BytesSaid, pricing.Usage{OutAudio: 20}},
		"a transcript":      {"response.output_audio_transcript.delta", []string{`{"delta":"word"}`}, pcmBytesSaid, pricing.Usage{OutText: 1}},
		"arguments":         {"response.function_call_arguments.delta", []string{`{"delta":"{\"a\":1}"}`}, pcmBytesSaid, pricing.Usage{OutText: 3}},
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
	pcm, telephone := sound{pcmBytesHeard, pcmBytesSaid}, sound{g711BytesHeard, g711BytesSaid}
	for message, want := range map[string]sound{
		`{"session":{"input_audio_format":"pcm16","output_audio_format":"pcm16"}}`:                                              pcm,
		`{"session":{"input_audio_format":"g711_alaw","output_audio_format":"g711_ulaw"}}`:                                      telephone,
		`{"session":{"audio":{"input":{"format":{"type":"audio/pcmu"}},"output":{"format":{"type":"audio/pcma"}}}}}`:            telephone,
		`{"session":{"audio":{"output":{"format":{"type":"audio/pcma"}}}}}`:                                                     {pcmBytesHeard, g711BytesSaid},
		`{"session":{"audio":{"input":{"format":{"type":"audio/pcm","rate":24000}},"output":{"format":{"type":"audio/pcm"}}}}}`: pcm,
		`{"session":{"audio":{"output":{"format":"odd"}},"model":"m"}}`:                                                         pcm,
		`{"session":{}}`: pcm, `{`: pcm, `{"session":null}`: pcm,
	} {
		got := pcm
		if got.choose(readDescription([]byte(message))); got != want {
			t.Errorf("%s: a token is %+v bytes, want %+v", message, got, want)
		}
	}
}

func TestOurCountFollowsTheSoundOfTheSession(t *testing.T) {
	wallet := newPurse(100_000_000)
	billing := NewTurns(wallet, testModel)
	audio := base64.StdEncoding.EncodeToString(make([]byte, g711BytesSaid))
	tellStory(t, wallet, billing, []step{
		server(`{"type":"session.updated","session":{"output_audio_format":"g711_ulaw"}}`), server(created("a")),
		server(fmt.Sprintf(`{"type":"response.audio.delta","response_id":"a","delta":%q}`, audio)),
	})
	billing.Close(t.Context())
	wantBills(t, wallet, []string{fmt.Sprintf("response.part:a %d partial", cost(pricing.Usage{OutAudio: 1}))})
}
