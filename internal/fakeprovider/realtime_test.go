package fakeprovider

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// talk is a test's end of a session.
type talk struct {
	t      *testing.T
	ctx    context.Context
	socket *websocket.Conn
}

func dial(t *testing.T, path string, header http.Header) *talk {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	socket, _, err := websocket.Dial(ctx, start(t)+path, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.CloseNow() })
	return &talk{t: t, ctx: ctx, socket: socket}
}

func (k *talk) say(messages ...string) *talk {
	k.t.Helper()
	for _, message := range messages {
		if err := k.socket.Write(k.ctx, websocket.MessageText, []byte(message)); err != nil {
			k.t.Fatal(err)
		}
	}
	return k
}

// until reads events up to one of a type, and returns it with the types on the way,
// each once.
func (k *talk) until(last string) (event []byte, types string) {
	k.t.Helper()
	var seen []string
	for {
		_, message, err := k.socket.Read(k.ctx)
		if err != nil {
			k.t.Fatalf("after %v: %v", seen, err)
		}
		kind, _ := valueAt(k.t, message, "type").(string)
		if len(seen) == 0 || seen[len(seen)-1] != kind {
			seen = append(seen, kind)
		}
		if kind == last {
			return message, strings.Join(seen, " ")
		}
	}
}

func item(text string) string {
	return fmt.Sprintf(`{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":%q}]}}`, text)
}

func audio(bytes int) string {
	return fmt.Sprintf(`{"type":"input_audio_buffer.append","audio":%q}`, base64.StdEncoding.EncodeToString(make([]byte, bytes)))
}

const (
	commit     = `{"type":"input_audio_buffer.commit"}`
	textAnswer = `{"type":"response.create","response":{"output_modalities":["text"]}}`
)

func usageOf(t *testing.T, done []byte) string {
	t.Helper()
	text, err := json.Marshal(valueAt(t, done, "response", "usage"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestARealtimeResponseIsCountedByItsRule(t *testing.T) {
	k := dial(t, "/v1/realtime?model=m", nil)
	k.until("session.created")
	k.say(item("one two three"), audio(realtimeBytesPerSecond+1), commit, textAnswer)
	done, types := k.until("response.done")
	if want := "conversation.item.created input_audio_buffer.committed response.created response.output_text.delta response.done"; types != want {
		t.Errorf("the events are %s, want %s", types, want)
	}
	// Heard: three words and two seconds. Said: "The fake provider heard:" and them.
	want := `{"input_token_details":{"audio_tokens":20,"cached_tokens":0,"cached_tokens_details":{"audio_tokens":0,"image_tokens":0,"text_tokens":0},` +
		`"image_tokens":0,"text_tokens":3},"input_tokens":23,"output_token_details":{"audio_tokens":0,"text_tokens":7},"output_tokens":7,"total_tokens":30}`
	if got := usageOf(t, done); got != want {
		t.Errorf("the usage is %s, want %s", got, want)
	}

	k.say(`{"type":"response.create","response":{"metadata":{"fake":"words=2"}}}`)
	done, types = k.until("response.done")
	if want := "response.created response.output_audio_transcript.delta response.output_audio.delta"; !strings.HasPrefix(types, want) {
		t.Errorf("the events are %s, want %s", types, want)
	}
	// Heard again: all of it, from the cache, and the answer's seven words.
	want = `{"input_token_details":{"audio_tokens":20,"cached_tokens":23,"cached_tokens_details":{"audio_tokens":20,"image_tokens":0,"text_tokens":3},` +
		`"image_tokens":0,"text_tokens":10},"input_tokens":30,"output_token_details":{"audio_tokens":4,"text_tokens":2},"output_tokens":6,"total_tokens":36}`
	if got := usageOf(t, done); got != want {
		t.Errorf("the usage is %s, want %s", got, want)
	}
}

func TestRealtimeSwitches(t *testing.T) {
	answer := func(switches string) string {
		return fmt.Sprintf(`{"type":"response.create","response":{"metadata":{"fake":"words=5,%s"}}}`, switches)
	}
	t.Run("no usage", func(t *testing.T) {
		done, _ := dial(t, "/v1/realtime?model=m", nil).say(answer("usage=missing")).until("response.done")
		if got := usageOf(t, done); got != "null" {
			t.Errorf("the usage is %s", got)
		}
	})
	t.Run("zero", func(t *testing.T) {
		done, _ := dial(t, "/v1/realtime?model=m", nil).say(answer("usage=zero")).until("response.done")
		if valueAt(t, done, "response", "usage", "total_tokens") != float64(0) {
			t.Errorf("the usage is %s", usageOf(t, done))
		}
	})
	t.Run("wanted counts", func(t *testing.T) {
		done, _ := dial(t, "/v1/realtime?model=m", nil).say(answer("in=1000,out=2000")).until("response.done")
		if valueAt(t, done, "response", "usage", "input_token_details", "text_tokens") != float64(1000) ||
			valueAt(t, done, "response", "usage", "output_token_details", "text_tokens") != float64(2000) {
			t.Errorf("the usage is %s", usageOf(t, done))
		}
	})
	t.Run("failed", func(t *testing.T) {
		done, _ := dial(t, "/v1/realtime?model=m", nil).say(answer("fail=2")).until("response.done")
		if valueAt(t, done, "response", "status") != "failed" || valueAt(t, done, "response", "usage", "output_token_details", "text_tokens") != float64(2) {
			t.Errorf("the end is %s", done)
		}
	})
	t.Run("twice", func(t *testing.T) {
		k := dial(t, "/v1/realtime?model=m", nil).say(answer("twice"))
		first, _ := k.until("response.done")
		second, _ := k.until("response.done")
		if string(first) != string(second) {
			t.Errorf("the ends are %s and %s", first, second)
		}
	})
	t.Run("cut", func(t *testing.T) {
		k := dial(t, "/v1/realtime?model=m", nil).say(answer("cut=2"))
		words := 0
		for {
			_, message, err := k.socket.Read(k.ctx)
			if err != nil {
				break
			}
			if strings.Contains(string(message), "audio_transcript.delta") {
				words++
			}
		}
		if words != 2 {
			t.Errorf("%d words came, want 2", words)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		k := dial(t, "/v1/realtime?model=m", nil).say(answer("slow=1h"))
		k.until("response.created")
		done, _ := k.say(`{"type":"response.cancel"}`).until("response.done")
		if valueAt(t, done, "response", "status") != "cancelled" {
			t.Errorf("the end is %s", done)
		}
	})
	t.Run("a second beside the first", func(t *testing.T) {
		k := dial(t, "/v1/realtime?model=m", nil).say(answer("slow=1h"), answer(""))
		refused, _ := k.until("error")
		if valueAt(t, refused, "error", "code") != "conversation_already_has_active_response" {
			t.Errorf("the error is %s", refused)
		}
	})
	t.Run("refused", func(t *testing.T) {
		_, response, err := websocket.Dial(t.Context(), start(t)+"/v1/realtime?model=m", &websocket.DialOptions{HTTPHeader: http.Header{"X-Fake": {"status=429"}}})
		if err == nil || response.StatusCode != 429 {
			t.Errorf("the handshake ended with %v", err)
		}
	})
}

func TestRealtimeTranscriptions(t *testing.T) {
	for model, want := range map[string]string{
		"whisper-1":         `{"seconds":2,"type":"duration"}`,
		"gpt-4o-transcribe": `{"input_token_details":{"audio_tokens":20,"text_tokens":0},"input_tokens":20,"output_tokens":3,"total_tokens":23,"type":"tokens"}`,
	} {
		for _, update := range []string{
			`{"type":"session.update","session":{"input_audio_transcription":{"model":%q}}}`,
			`{"type":"session.update","session":{"audio":{"input":{"transcription":{"model":%q}}}}}`,
		} {
			k := dial(t, "/v1/realtime?model=m", nil).say(fmt.Sprintf(update, model), audio(2*realtimeBytesPerSecond), commit)
			done, _ := k.until("conversation.item.input_audio_transcription.completed")
			if got, _ := json.Marshal(valueAt(t, done, "usage")); string(got) != want {
				t.Errorf("%s: the usage is %s, want %s", model, got, want)
			}
		}
	}
}

func TestASessionThatHearsByItselfAnswersByItself(t *testing.T) {
	k := dial(t, "/v1/realtime?model=m", http.Header{"OpenAI-Beta": {"realtime=v1"}})
	k.say(`{"type":"session.update","session":{"turn_detection":{"type":"server_vad"}}}`, audio(1), commit)
	if _, types := k.until("response.done"); !strings.Contains(types, "response.audio_transcript.delta response.audio.delta") {
		t.Errorf("the events are %s, want the older names", types)
	}
}

func TestATranslationSaysWhatItHears(t *testing.T) {
	k := dial(t, "/v1/realtime/translations?model=m", nil)
	k.say(`{"type":"session.input_audio_buffer.append","audio":"AAAA"}`, `{"type":"session.close"}`)
	if _, types := k.until("session.closed"); types != "session.created session.output_transcript.delta session.output_audio.delta session.closed" {
		t.Errorf("the events are %s", types)
	}
}
