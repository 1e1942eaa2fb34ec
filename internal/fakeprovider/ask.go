package fakeprovider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
)

// ask is what a request wants, in whatever of the formats it came.
type ask struct {
	Model        string `json:"model"`
	Stream       bool   `json:"stream"`
	StreamFormat string `json:"stream_format"` // of a speech
	Options      struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`

	// What is said to the model. Each may be a text, or parts of many kinds.
	Messages []message       `json:"messages"`
	Input    json.RawMessage `json:"input"`
	System   json.RawMessage `json:"system"`
	Prompt   string          `json:"prompt"`

	Tools      []tool          `json:"tools"`
	ToolChoice json.RawMessage `json:"tool_choice"`

	N                   int      `json:"n"`
	MaxTokens           int      `json:"max_tokens"`
	MaxCompletionTokens int      `json:"max_completion_tokens"`
	MaxOutputTokens     int      `json:"max_output_tokens"`
	Temperature         float64  `json:"temperature"`
	Modalities          []string `json:"modalities"`
	Dimensions          int      `json:"dimensions"`
	EncodingFormat      string   `json:"encoding_format"`
	ResponseFormat      any      `json:"response_format"`
	Voice               any      `json:"voice"`

	User             string `json:"user"`
	SafetyIdentifier string `json:"safety_identifier"`
	Instructions     string `json:"instructions"`
	Metadata         struct {
		UserID string `json:"user_id"`
		Fake   string `json:"fake"`
	} `json:"metadata"`

	// Of a form with a file.
	fileBytes           int64
	transcriptionPrompt string

	missing string // the field that its route cannot do without
}

type message struct {
	Role       string          `json:"role"`
	Content    json.RawMessage `json:"content"`
	ToolCallID string          `json:"tool_call_id"`
}

// tool is a function in the forms of chat, of responses and of messages.
type tool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Parameters  json.RawMessage `json:"parameters"`
	InputSchema json.RawMessage `json:"input_schema"`
	Function    struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
	} `json:"function"`
}

// readAsk reads a body of either type. Azure's addresses name the model.
func readAsk(r *http.Request, body []byte) (*ask, error) {
	a := &ask{}
	mediaType, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && mediaType == "multipart/form-data" {
		err = a.readForm(body, parameters["boundary"])
	} else {
		err = json.Unmarshal(body, a)
	}
	if err != nil {
		return nil, fmt.Errorf("the body of the request could not be parsed: %w", err)
	}
	if deployment := r.PathValue("deployment"); deployment != "" {
		a.Model = deployment
	}
	a.missing = a.lacks(r.URL.Path)
	return a, nil
}

// lacks names the field that is missing for a route.
func (a *ask) lacks(path string) string {
	has := map[string]bool{
		"/chat/completions":     len(a.Messages) > 0,
		"/messages":             len(a.Messages) > 0,
		"/responses":            len(a.Input) > 0,
		"/embeddings":           len(a.Input) > 0,
		"/audio/speech":         len(a.Input) > 0,
		"/images/generations":   a.Prompt != "",
		"/audio/transcriptions": a.fileBytes > 0,
	}
	fields := map[string]string{
		"/chat/completions": "messages", "/messages": "messages", "/images/generations": "prompt", "/audio/transcriptions": "file",
	}
	for route, ok := range has {
		if strings.HasSuffix(path, route) && !ok {
			if field := fields[route]; field != "" {
				return field
			}
			return "input"
		}
	}
	if strings.HasSuffix(path, "/messages") && a.MaxTokens == 0 {
		return "max_tokens"
	}
	return ""
}

// wrong says what is wrong with a request, and with which field; nothing if it is
// in order.
func (a *ask) wrong() (message, field string) {
	if a.Model == "" {
		return "you must provide a model parameter", "model"
	}
	if a.missing != "" {
		return "Missing required parameter: '" + a.missing + "'.", a.missing
	}
	if a.Temperature < 0 || a.Temperature > 2 {
		return "Invalid 'temperature': expected a value from 0 to 2.", "temperature"
	}
	if a.N < 0 || a.N > maxAnswers {
		return "Invalid 'n': expected a value from 1 to 128.", "n"
	}
	return "", ""
}

// maxAnswers bounds how many answers one request has.
const maxAnswers = 128

// maxFieldBytes bounds a field of a form that is no file.
const maxFieldBytes = 64 << 10

func (a *ask) readForm(body []byte, boundary string) error {
	form := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if part.FormName() == "file" {
			if a.fileBytes, err = io.Copy(io.Discard, part); err != nil {
				return err
			}
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, maxFieldBytes))
		if err != nil {
			return err
		}
		a.setField(part.FormName(), string(value))
	}
}

func (a *ask) setField(name, value string) {
	switch name {
	case "model":
		a.Model = value
	case "stream":
		a.Stream = value == "true"
	case "response_format":
		a.ResponseFormat = value
	case "prompt":
		a.transcriptionPrompt = value
	case "user":
		a.User = value
	}
}

// said is what was put into a model: its words, and pieces that are no text.
type said struct {
	words, audio, images int64
	last                 string // the last text
	toolResult           bool   // a tool has answered
}

// heard gathers all that a request says.
func (a *ask) heard() said {
	var s said
	s.add(a.System)
	if !strings.HasPrefix(a.Instructions, fieldPrefix) {
		s.text(a.Instructions)
	}
	s.text(a.Prompt)
	for _, m := range a.Messages {
		s.toolResult = s.toolResult || m.Role == "tool"
		s.add(m.Content)
	}
	s.add(a.Input)
	return s
}

func (s *said) text(text string) {
	if words := strings.Fields(text); len(words) > 0 {
		s.words += int64(len(words))
		s.last = text
	}
}

// add reads a text, a list, or a part.
func (s *said) add(content json.RawMessage) {
	var text string
	if json.Unmarshal(content, &text) == nil {
		s.text(text)
		return
	}
	var parts []json.RawMessage
	if json.Unmarshal(content, &parts) == nil {
		for _, part := range parts {
			s.add(part)
		}
		return
	}
	var token float64
	if json.Unmarshal(content, &token) == nil {
		s.words++ // embeddings take tokens, too
		return
	}
	var part struct {
		Type    string          `json:"type"`
		Text    string          `json:"text"`
		Content json.RawMessage `json:"content"`
		Output  json.RawMessage `json:"output"`
	}
	if json.Unmarshal(content, &part) != nil {
		return
	}
	switch part.Type {
	case "input_audio":
		s.audio++
	case "image_url", "input_image", "image":
		s.images++
	case "tool_result", "function_call_output":
		s.toolResult = true
	}
	s.text(part.Text)
	s.add(part.Content)
	s.add(part.Output)
}
