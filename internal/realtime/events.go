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
	eventTranslationAppend   = "session.input_audio_buffer.append"

	eventSessionCreated  = "session.created"
	eventSessionUpdated  = "session.updated"
	eventResponseCreated = "response.created"
)

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

// text reads the text at a path of members, "" where there is none.
func (e clientEvent) text(path ...string) (string, error) {
	body := e.body
	for i, name := range path {
		value := body.Get(name)
		if len(value) == 0 || string(value) == "null" {
			return "", nil
		}
		if i == len(path)-1 {
			var text string
			if json.Unmarshal(value, &text) != nil {
				return "", e.invalid(path[:i+1], "must be a text")
			}
			return text, nil
		}
		var err error
		if body, err = gateway.ParseBody(value); err != nil {
			return "", e.invalid(path[:i+1], "cannot be passed on: "+err.Error())
		}
	}
	return "", nil
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

// transcriptionModel is the model that a change of the session asks to write down
// what is heard, in the older spelling or the newer.
func (e clientEvent) transcriptionModel() (string, error) {
	for _, path := range [][]string{
		{"session", "audio", "input", "transcription", "model"},
		{"session", "input_audio_transcription", "model"},
	} {
		model, err := e.text(path...)
		if model != "" || err != nil {
			return model, err
		}
	}
	return "", nil
}

// isPlainAppend tells the one message that comes all the time, audio and nothing
// else, without reading it through: four texts, none with an escape in it.
func isPlainAppend(message []byte) bool {
	const beginning = `{"type":"` + eventAppend + `","audio":"`
	return bytes.HasPrefix(message, []byte(beginning)) && bytes.HasSuffix(message, []byte(`"}`)) &&
		bytes.Count(message, []byte{'"'}) == 8 && bytes.IndexByte(message, '\\') < 0
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

// responseIDOf is the response that a message of the provider belongs to.
func responseIDOf(message []byte) string {
	var said struct {
		ResponseID string `json:"response_id"`
		Response   struct {
			ID string `json:"id"`
		} `json:"response"`
	}
	_ = json.Unmarshal(message, &said)
	if said.Response.ID != "" {
		return said.Response.ID
	}
	return said.ResponseID
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
