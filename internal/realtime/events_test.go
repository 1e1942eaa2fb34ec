package realtime

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestServerEventTypes(t *testing.T) {
	for message, want := range map[string]string{
		`{"type":"response.done","event_id":"e"}`:                "response.done",
		`{"event_id":"e","type":"response.done","response":{}}`:  "response.done",
		`{"response":{"type":"x"},"type":"response.done"}`:       "response.done",
		"{ \"type\" : \"response.done\" }":                       "response.done",
		`{"event_id":"a\",\"type\":\"x","type":"response.done"}`: "response.done",
		`{"event_id":"e"}`: "", `{}`: "", `[]`: "", ``: "", `{"type":7}`: "", `{"type":"`: "",
	} {
		if got := serverEventType([]byte(message)); got != want {
			t.Errorf("%s is %q, want %q", message, got, want)
		}
	}
}

func TestPlainAudioIsKnownWithoutReadingIt(t *testing.T) {
	for message, want := range map[string]bool{
		`{"type":"input_audio_buffer.append","audio":"AAAA"}`:                            true,
		`{"type":"input_audio_buffer.append","audio":""}`:                                true,
		`{"type":"input_audio_buffer.append","audio":"AAAA","event_id":"e"}`:             false,
		`{"type":"input_audio_buffer.append","audio":"AAAA","type":"session.update"}`:    false,
		`{"type":"input_audio_buffer.append","audio":"AAAA","session":{"model":"dear"}}`: false,
		`{"type":"input_audio_buffer.append","audio":"\u0022,"}`:                         false,
		`{"type":"input_audio_buffer.appendix","audio":"AAAA"}`:                          false,
		`{"type":"input_audio_buffer.append","audio":"A"} {"type":"session.update"}`:     false,
		`{"type":"response.create"}`:                                                     false,
	} {
		if _, got := plainAppend([]byte(message)); got != want {
			t.Errorf("%s: %t, want %t", message, got, want)
		}
	}
}

// FuzzClientEvents: what is passed on without being read is what a strict reader
// takes for audio and nothing else, and no message makes the reader fall.
func FuzzClientEvents(f *testing.F) {
	for _, seed := range []string{
		`{"type":"input_audio_buffer.append","audio":"AAAA"}`, `{"type":"session.update","session":{"model":"m","audio":{"input":{"transcription":{"model":"s"}}}}}`,
		`{"type":"response.create","event_id":"e"}`, `{"type":"response.create","response":{"conversation":"none","input":[{"type":"message","content":[{"type":"input_image","image_url":"x"}]}]}}`, `{"type":"input_audio_buffer.append","audio":"A","Type":"x"}`, `[1]`, `{"type":"\u0061"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		event, err := readClientEvent(message)
		if err != nil {
			if refusal, ok := errors.AsType[*Refusal](err); !ok || !refusal.KeepOpen || !json.Valid(refusal.event()) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if _, isPlain := plainAppend(message); isPlain && event.kind != eventAppend {
			t.Fatalf("%s passes unread, and is a %s", message, event.kind)
		}
		var loose struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(message, &loose) == nil && loose.Type != event.kind && !strings.ContainsRune(loose.Type, '\ufffd') {
			t.Fatalf("%s is a %q for us and a %q for others", message, event.kind, loose.Type)
		}
		event.transcription()
		event.additionOf(sound{pcmBytesHeard, pcmBytesSaid})
		event.isApart()
		event.text("session", "model")
	})
}

// FuzzServerEvents: whatever a provider sends, nothing falls and no count is negative.
func FuzzServerEvents(f *testing.F) {
	for _, seed := range []string{
		created("a"), said("a"), done("a", wholeUsage), done("a", "null"), transcribed("i", twoSecs),
		`{"type":"session.created","session":{"output_audio_format":"pcm16"}}`, `{"type":"response.audio.delta","delta":"AAAA"}`,
		committed("i"), writes("i"), `{"type":"input_audio_buffer.speech_started","audio_start_ms":9223372036854775807}`,
		`{"type":"input_audio_buffer.speech_stopped","audio_end_ms":-1}`, `{"type":"response.created","response":{"id":"a","conversation_id":null}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		serverEventType(message)
		wallet := newPurse(1 << 60)
		billing := NewTurns(wallet, testModel)
		if err := billing.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		billing.FromServer(t.Context(), message)
		billing.FromServer(t.Context(), message)
		billing.Close(t.Context())
		if wallet.balance > 1<<60 || wallet.holds != 0 {
			t.Fatalf("%s leaves %d tokens and %d holds", message, wallet.balance, wallet.holds)
		}
	})
}
