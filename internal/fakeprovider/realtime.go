package fakeprovider

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

const (
	// realtimeBytesPerSecond is how much audio of a session lasts a second: 16 bits,
	// 24,000 times a second.
	realtimeBytesPerSecond = 48_000
	// spokenBytesPerWord is a tenth of a second.
	spokenBytesPerWord = realtimeBytesPerSecond / 10
	// maxRealtimeMessageBytes bounds one message of a client.
	maxRealtimeMessageBytes = 16 << 20
)

// realtimeSession is one socket. Its counts follow from what was said, as those of
// the other routes do:
//
//   - a response hears all that was said before it, the answers too: a token for
//     each word, and AudioTokens for each second of audio, a part of one whole;
//   - what an earlier response has heard comes from the cache;
//   - an answer has a token for each word, and AudioTokensPerWord more for each that
//     is spoken.
type realtimeSession struct {
	provider *provider
	request  *http.Request
	socket   *websocket.Conn
	older    bool // the client speaks the protocol of before the GA

	mutex     sync.Mutex
	settings  realtimeSettings
	said      realtimeCounts // in the conversation so far
	cached    realtimeCounts // of it, what a response has heard before
	buffer    int64          // bytes of audio that were not committed
	lastText  string
	responses int
	items     int
	cancel    context.CancelFunc // of the response that runs, if any
}

type realtimeCounts struct{ text, audio int64 }

// realtimeSettings are the parts of session.update that change what happens, in the
// older spelling and the newer.
type realtimeSettings struct {
	Modalities       []string            `json:"modalities"`
	OutputModalities []string            `json:"output_modalities"`
	Transcription    *realtimeTranscript `json:"input_audio_transcription"`
	TurnDetection    json.RawMessage     `json:"turn_detection"`
	Audio            struct {
		Input struct {
			Transcription *realtimeTranscript `json:"transcription"`
			TurnDetection json.RawMessage     `json:"turn_detection"`
		} `json:"input"`
	} `json:"audio"`
}

type realtimeTranscript struct {
	Model string `json:"model"`
}

func (s *realtimeSettings) transcription() string {
	for _, t := range []*realtimeTranscript{s.Audio.Input.Transcription, s.Transcription} {
		if t != nil {
			return t.Model
		}
	}
	return ""
}

// answersByItself tells whether a committed turn is answered without being asked.
func (s *realtimeSettings) answersByItself() bool {
	return strings.HasPrefix(string(s.TurnDetection)+string(s.Audio.Input.TurnDetection), "{")
}

// realtimeEvent is what a client sends.
type realtimeEvent struct {
	Type     string           `json:"type"`
	EventID  string           `json:"event_id"`
	Session  realtimeSettings `json:"session"`
	Audio    string           `json:"audio"`
	Item     json.RawMessage  `json:"item"`
	Response realtimeAsk      `json:"response"`
}

type realtimeAsk struct {
	Modalities       []string `json:"modalities"`
	OutputModalities []string `json:"output_modalities"`
	Metadata         struct {
		Fake string `json:"fake"`
	} `json:"metadata"`
}

// realtime takes a socket. Switches that hold for it come with X-Fake or from POST
// /fake/switches; those of one response in its metadata.fake.
func (p *provider) realtime(w http.ResponseWriter, r *http.Request) {
	record := p.record(r, nil)
	defer p.ended(record, false)
	s := &realtimeSession{provider: p, request: r, older: r.Header.Get("OpenAI-Beta") != ""}
	switches, err := s.switches("")
	if err != nil || r.URL.Query().Get("model")+r.URL.Query().Get("deployment") == "" {
		openAIErrors.write(w, http.StatusBadRequest, "you must provide a model parameter", "model")
		return
	}
	if switches.Status != 0 {
		openAIErrors.write(w, switches.Status, "the switches want this", "")
		return
	}
	if s.socket, err = websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"realtime"}, InsecureSkipVerify: true}); err != nil {
		return // it has answered
	}
	defer s.socket.CloseNow()
	s.socket.SetReadLimit(maxRealtimeMessageBytes)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	s.send(ctx, object{"type": "session.created", "session": s.describe()})
	s.serve(ctx)
}

func (s *realtimeSession) switches(more string) (Switches, error) {
	switches := s.provider.standing()
	if err := switches.add(more); err != nil {
		return switches, err
	}
	return switches, switches.add(s.request.Header.Get("X-Fake"))
}

func (s *realtimeSession) describe() object {
	described := object{
		"id": "sess_fake", "object": "realtime.session", "type": "realtime", "model": s.request.URL.Query().Get("model"),
		"expires_at": created, "audio": object{},
	}
	if s.translates() {
		described["type"] = "translation"
	}
	return described
}

func (s *realtimeSession) translates() bool {
	return strings.HasSuffix(s.request.URL.Path, "/translations")
}

// serve reads until the client goes.
func (s *realtimeSession) serve(ctx context.Context) {
	for {
		_, message, err := s.socket.Read(ctx)
		if err != nil {
			return
		}
		var event realtimeEvent
		if json.Unmarshal(message, &event) != nil {
			s.send(ctx, object{"type": "error", "error": object{"type": "invalid_request_error", "code": "invalid_json", "message": "The message is no JSON.", "param": nil, "event_id": nil}})
			continue
		}
		if s.translates() {
			s.translate(ctx, event)
			continue
		}
		s.take(ctx, event)
	}
}

func (s *realtimeSession) take(ctx context.Context, event realtimeEvent) {
	switch event.Type {
	case "session.update":
		s.mutex.Lock()
		s.settings = event.Session
		s.mutex.Unlock()
		s.send(ctx, object{"type": "session.updated", "session": s.describe()})
	case "conversation.item.create":
		s.hear(ctx, event.Item)
	case "input_audio_buffer.append":
		s.mutex.Lock()
		s.buffer += int64(base64.RawStdEncoding.DecodedLen(len(strings.TrimRight(event.Audio, "="))))
		s.mutex.Unlock()
	case "input_audio_buffer.commit":
		s.commit(ctx)
	case "response.create":
		s.respond(ctx, event.Response)
	case "response.cancel":
		s.mutex.Lock()
		if s.cancel != nil {
			s.cancel()
		}
		s.mutex.Unlock()
	}
}

// hear adds an item of text to the conversation.
func (s *realtimeSession) hear(ctx context.Context, item json.RawMessage) {
	var heard said
	heard.add(item)
	s.mutex.Lock()
	s.said.text += heard.words
	s.lastText = heard.last
	s.items++
	id := fmt.Sprintf("item_%d", s.items)
	s.mutex.Unlock()
	s.send(ctx, object{"type": "conversation.item.created", "item": object{"id": id, "object": "realtime.item", "type": "message", "role": "user"}})
}

// commit makes an item of the audio that came, and writes it down if asked to.
func (s *realtimeSession) commit(ctx context.Context) {
	s.mutex.Lock()
	seconds := (s.buffer + realtimeBytesPerSecond - 1) / realtimeBytesPerSecond
	s.buffer = 0
	s.said.audio += seconds * AudioTokens
	s.items++
	id, model, answers := fmt.Sprintf("item_%d", s.items), s.settings.transcription(), s.settings.answersByItself()
	s.mutex.Unlock()
	s.send(ctx, object{"type": "input_audio_buffer.committed", "item_id": id})
	if model != "" {
		usage := object{"type": "duration", "seconds": seconds}
		if model != oldestTranscriber {
			usage = object{
				"type": "tokens", "input_tokens": seconds * AudioTokens, "output_tokens": 3, "total_tokens": seconds*AudioTokens + 3,
				"input_token_details": object{"text_tokens": 0, "audio_tokens": seconds * AudioTokens},
			}
		}
		s.send(ctx, object{
			"type": "conversation.item.input_audio_transcription.completed", "item_id": id, "content_index": 0,
			"transcript": "What was said.", "usage": usage,
		})
	}
	if answers {
		s.respond(ctx, realtimeAsk{})
	}
}

// oldestTranscriber reports a duration where all others report tokens.
const oldestTranscriber = "whisper-1"

// translate says for each piece of audio one of the same length.
func (s *realtimeSession) translate(ctx context.Context, event realtimeEvent) {
	switch event.Type {
	case "session.update":
		s.send(ctx, object{"type": "session.updated", "session": s.describe()})
	case "session.input_audio_buffer.append":
		s.send(ctx, object{"type": "session.output_transcript.delta", "delta": "word "})
		s.send(ctx, object{"type": "session.output_audio.delta", "delta": event.Audio})
	case "session.close":
		s.send(ctx, object{"type": "session.closed"})
		s.socket.Close(websocket.StatusNormalClosure, "")
	}
}

// send writes one event; a client who left is noticed at the next read.
func (s *realtimeSession) send(ctx context.Context, event object) {
	event["event_id"] = "event_fake"
	body, err := json.Marshal(event)
	if err != nil {
		panic(err) // all that is sent was made here
	}
	_ = s.socket.Write(ctx, websocket.MessageText, body)
}
