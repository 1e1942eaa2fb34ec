package realtime

import (
	"bytes"
	"encoding/json"
	"strings"

	"sokuji/internal/gateway"
)

// The events that matter for the bill. All others pass unread.
const (
	eventSessionUpdate       = "session.update"
	eventTranscriptionUpdate = "transcription_session.update"
	eventResponseCreate      = "response.create"
	eventAppend              = "input_audio_buffer.append"
	eventCommit              = "input_audio_buffer.commit"
	eventClear               = "input_audio_buffer.clear"
	eventItemCreate          = "conversation.item.create"
	eventTranslationAppend   = "session.input_audio_buffer.append"

	eventSessionCreated  = "session.created"
	eventSessionUpdated  = "session.updated"
	eventResponseCreated = "response.created"
	eventError           = "error"

	eventTranscriptionCreated = "transcription_session.created"
	eventTranscriptionUpdated = "transcription_session.updated"

	eventCommitted     = "input_audio_buffer.committed"
	eventCleared       = "input_audio_buffer.cleared"
	eventSpeechStarted = "input_audio_buffer.speech_started"
	eventSpeechStopped = "input_audio_buffer.speech_stopped"

	eventTranscriptDelta  = "conversation.item.input_audio_transcription.delta"
	eventTranscriptFailed = "conversation.item.input_audio_transcription.failed"
)

// codeNothingToCommit is OpenAI's for a commit of too little audio.
const codeNothingToCommit = "input_audio_buffer_commit_empty"

// partOfResponse names the bill of a response that never came to its end.
const partOfResponse = "response.part"

// clientEvent is a message of the client, read strictly: what we price must be
// what the provider does.
type clientEvent struct {
	kind, id string
	body     *gateway.Body
}

func readClientEvent(message []byte) (clientEvent, error) {
	body, err := gateway.ParseBody(message)
	if err != nil {
		return clientEvent{}, invalidEvent("", "", "The message cannot be passed on: "+err.Error()+".")
	}
	event := clientEvent{body: body}
	if id := body.Get("event_id"); id != nil {
		if json.Unmarshal(id, &event.id) != nil {
			return clientEvent{}, invalidEvent("", "event_id", "event_id must be a text.")
		}
	}
	if json.Unmarshal(orEmpty(body.Get("type")), &event.kind) != nil || event.kind == "" {
		return clientEvent{}, invalidEvent(event.id, "type", "type is missing: name the event, such as response.create.")
	}
	return event, nil
}

// member is the value at a path of members, nil where there is none.
func (e clientEvent) member(path ...string) ([]byte, error) {
	body := e.body
	for i, name := range path {
		value := body.Get(name)
		isLast := i == len(path)-1
		if len(value) == 0 || isLast {
			return value, nil
		}
		if string(value) == "null" {
			return nil, nil
		}
		var err error
		if body, err = gateway.ParseBody(value); err != nil {
			return nil, e.invalid(path[:i+1], "cannot be passed on: "+err.Error())
		}
	}
	return nil, nil
}

// text reads the text at a path of members, "" where there is none.
func (e clientEvent) text(path ...string) (string, error) {
	value, err := e.member(path...)
	if err != nil || len(value) == 0 || string(value) == "null" {
		return "", err
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		return "", e.invalid(path, "must be a text")
	}
	return text, nil
}

func (e clientEvent) invalid(path []string, why string) *Refusal {
	name := strings.Join(path, ".")
	return invalidEvent(e.id, name, name+" "+why+".")
}

// invalidEvent refuses one message of the client; the session goes on.
func invalidEvent(eventID, param, message string) *Refusal {
	return &Refusal{
		Type: invalidRequest, Code: "invalid_value", Message: message, Param: param, EventID: eventID, KeepOpen: true,
	}
}

func orEmpty(value []byte) []byte {
	if value == nil {
		return []byte(`""`)
	}
	return value
}

// addsNothing tells the messages that no model hears.
func (e clientEvent) addsNothing() bool {
	switch e.kind {
	case "response.cancel", "conversation.item.delete", "conversation.item.truncate", "conversation.item.retrieve",
		"output_audio_buffer.clear":
		return true
	}
	return false
}

// transcription is what a change of the session, or the provider's description of
// one, says about writing down what is heard.
type transcription struct {
	isNamed bool // it says something
	isOn    bool
	model   string
}

// transcription reads it in the older spelling or the newer.
func (e clientEvent) transcription() (asked transcription, err error) {
	for _, path := range [][]string{
		{"session", "audio", "input", "transcription"},
		{"session", "input_audio_transcription"},
	} {
		value, err := e.member(path...)
		if err != nil {
			return asked, err
		}
		if value == nil {
			continue
		}
		asked.isNamed = true
		if string(value) == "null" {
			continue
		}
		asked.isOn = true
		if model, err := e.text(append(path, "model")...); err != nil || model != "" {
			asked.model = model
			return asked, err
		}
	}
	return asked, nil
}

// plainAppend tells the one message that comes all the time, audio and nothing
// else, without reading it through: four texts, none with an escape in it.
func plainAppend(message []byte) (audio []byte, isPlain bool) {
	const beginning, end = `{"type":"` + eventAppend + `","audio":"`, `"}`
	isPlain = bytes.HasPrefix(message, []byte(beginning)) && bytes.HasSuffix(message, []byte(end)) &&
		bytes.Count(message, []byte{'"'}) == 8 && bytes.IndexByte(message, '\\') < 0
	if !isPlain {
		return nil, false
	}
	return message[len(beginning) : len(message)-len(end)], true
}

// serverEventType names a message of the provider. Providers write the type first,
// or behind the event's id; other orders are read through.
func serverEventType(message []byte) string {
	rest, _ := bytes.CutPrefix(message, []byte("{"))
	if after, found := bytes.CutPrefix(rest, []byte(`"event_id":"`)); found {
		_, rest, _ = bytes.Cut(after, []byte(`",`))
	}
	if after, found := bytes.CutPrefix(rest, []byte(`"type":"`)); found {
		if kind, _, ended := bytes.Cut(after, []byte(`"`)); ended {
			return string(kind)
		}
	}
	var said struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(message, &said) // what is not JSON has no type
	return said.Type
}

// serverEvent has what is read of a message of the provider beside its type. A
// member of another type says nothing.
type serverEvent struct {
	ResponseID string `json:"response_id"`
	Response   struct {
		ID           string          `json:"id"`
		Conversation json.RawMessage `json:"conversation_id"`
		described
	} `json:"response"`
	ItemID       string `json:"item_id"`
	Transcript   string `json:"transcript"`
	AudioStartMS int64  `json:"audio_start_ms"`
	AudioEndMS   int64  `json:"audio_end_ms"`
	Error        struct {
		Code string `json:"code"`
	} `json:"error"`
}

func readServerEvent(message []byte) (event serverEvent) {
	_ = json.Unmarshal(message, &event)
	if event.Response.ID == "" {
		event.Response.ID = event.ResponseID
	}
	return event
}

func isDelta(kind string) bool {
	return strings.HasPrefix(kind, "response.") && strings.HasSuffix(kind, ".delta")
}

// cancelEvent asks the provider to end a response, and so to say what it cost.
func cancelEvent(responseID string) []byte {
	event, err := json.Marshal(map[string]string{"type": "response.cancel", "response_id": responseID})
	if err != nil {
		panic(err) // texts always encode
	}
	return event
}
