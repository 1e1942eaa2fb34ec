package metering

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"sokuji/internal/pricing"
)

// Ask is what a request asks for.
type Ask struct {
	Model                string
	Stream, IncludeUsage bool
	// Estimate is what the call may consume at most, in every class that it may be
	// counted in. Requests is how many results it asks for.
	Estimate pricing.Usage
	// Counted is our best count of what goes in, for a bill where the provider sends
	// none. No class has more of it than of Estimate.
	Counted   pricing.Usage
	MaxOutput int64 // tokens of output of all results; 0 where there is no output
	// PreviousResponse is the answer that the call goes on from; empty: none. What it
	// brings along is not in the body: AddContext.
	PreviousResponse string
	// SoundFormat is the format of the sound that a chat is asked for.
	SoundFormat string
}

// AddContext adds what the provider reads besides the body, in tokens.
func (a *Ask) AddContext(tokens int64) {
	a.Estimate.InText += tokens
	a.Counted.InText += tokens
}

const (
	// DefaultMaxOutput is the output, in tokens, that is reserved for one result
	// where the request names no bound.
	DefaultMaxOutput = 4096
	// MaxResults bounds how many results one request may ask for, as OpenAI does.
	MaxResults = 128
	// maxPictureTokens is what the largest picture of an image model costs, in
	// tokens of output, together with three views of it on its way.
	maxPictureTokens = 6_600
	// unseenContextTokens is reserved for each stored prompt or item that a request
	// refers to, in tokens of input.
	unseenContextTokens = 8_192
	// speechTokensPerCharacterHalves is how many tokens of speech a character makes,
	// in halves: about 1.3 tokens are measured, 1.5 reserved.
	speechTokensPerCharacterHalves = 3
)

// asked has the members of every endpoint's request.
type asked struct {
	Model         string `json:"model"`
	Stream        *bool  `json:"stream"`
	StreamOptions *struct {
		IncludeUsage *bool `json:"include_usage"`
	} `json:"stream_options"`
	StreamFormat        string   `json:"stream_format"`
	MaxTokens           *int64   `json:"max_tokens"`
	MaxCompletionTokens *int64   `json:"max_completion_tokens"`
	MaxOutputTokens     *int64   `json:"max_output_tokens"`
	N                   *int64   `json:"n"`
	Modalities          []string `json:"modalities"`

	Audio              json.RawMessage `json:"audio"` // chat: the voice and the format of the answer
	PreviousResponseID *string         `json:"previous_response_id"`
	Conversation       json.RawMessage `json:"conversation"` // refused
	Prompt             json.RawMessage `json:"prompt"`       // images: a text; responses: one kept by the provider
	Input              json.RawMessage `json:"input"`
	Instructions       json.RawMessage `json:"instructions"`
}

// readNames are the members that ReadAsk reads.
var readNames = func() []string {
	var names []string
	for field := range reflect.TypeFor[asked]().Fields() {
		names = append(names, field.Tag.Get("json"))
	}
	return names
}()

// CheckSpelling refuses a name that our decoder takes for one of its own, and a
// provider does not: what is reserved would not be what is asked.
func CheckSpelling(name string) error {
	for _, known := range readNames {
		if name != known && strings.EqualFold(name, known) {
			return fmt.Errorf("%s must be written %s", name, known)
		}
	}
	return nil
}

// ReadAsk reads a request's JSON body. Its error names the field.
func ReadAsk(endpoint Endpoint, body []byte) (Ask, error) {
	var said asked
	if err := json.Unmarshal(body, &said); err != nil {
		return Ask{}, bodyError(err)
	}
	if said.Model == "" {
		return Ask{}, errors.New("model is missing: name the model to call, such as gpt-4o-mini")
	}
	results, err := bounded("n", said.N, 1, 1, MaxResults)
	if err != nil {
		return Ask{}, err
	}
	longest, err := said.longestResult(endpoint)
	if err != nil {
		return Ask{}, err
	}
	ask := Ask{Model: said.Model, Stream: isTrue(said.Stream)}
	ask.IncludeUsage = said.StreamOptions != nil && isTrue(said.StreamOptions.IncludeUsage)
	ask.Estimate.Requests, ask.Counted.Requests = results, results
	if endpoint == Speech {
		ask.Stream = said.StreamFormat == "sse"
		ask.estimateSpeech(said)
		return ask, nil
	}
	ask.estimateInput(endpoint, body)
	switch endpoint {
	case Embeddings:
	case Images:
		ask.MaxOutput = results * maxPictureTokens
		ask.Estimate.OutText = ask.MaxOutput
	default:
		ask.MaxOutput = results * longest
		ask.Estimate.OutText = ask.MaxOutput
		if said.wantsAudio() {
			ask.Estimate.OutAudio = ask.MaxOutput
			ask.SoundFormat = soundFormat(said.Audio)
		}
	}
	if endpoint == Responses {
		return ask, ask.readContext(said)
	}
	return ask, nil
}

func (a *Ask) estimateInput(endpoint Endpoint, body []byte) {
	most, counted := inputOf(endpoint, body)
	a.Estimate.InText, a.Estimate.InAudio = most.InText, most.InAudio
	a.Counted.InText, a.Counted.InAudio = counted.InText, counted.InAudio
}

// readContext reads what the call refers to that the provider keeps.
func (a *Ask) readContext(said asked) error {
	if isGiven(said.Prompt) {
		a.AddContext(unseenContextTokens)
	}
	if said.PreviousResponseID == nil {
		return nil
	}
	if *said.PreviousResponseID == "" {
		return errors.New("previous_response_id is empty: name the answer to go on from, or leave it out")
	}
	a.PreviousResponse = *said.PreviousResponseID
	return nil
}

// outputBounds are the names that an endpoint has for the bound of one result's
// output. It ignores all others, so they must not make the hold smaller.
func (a asked) outputBounds(endpoint Endpoint) []outputBound {
	switch endpoint {
	case ChatCompletions:
		return []outputBound{{"max_tokens", a.MaxTokens}, {"max_completion_tokens", a.MaxCompletionTokens}}
	case Responses:
		return []outputBound{{"max_output_tokens", a.MaxOutputTokens}}
	case Messages:
		return []outputBound{{"max_tokens", a.MaxTokens}}
	}
	return nil
}

type outputBound struct {
	name  string
	value *int64
}

// longestResult is the bound of one result's output. The largest of several counts:
// a server may heed any.
func (a asked) longestResult(endpoint Endpoint) (int64, error) {
	var longest int64
	for _, limit := range a.outputBounds(endpoint) {
		value, err := bounded(limit.name, limit.value, 0, 0, pricing.MaxCount/MaxResults)
		if err != nil {
			return 0, err
		}
		longest = max(longest, value)
	}
	if longest == 0 {
		longest = DefaultMaxOutput
	}
	return longest, nil
}

func (a asked) wantsAudio() bool {
	for _, modality := range a.Modalities {
		if modality == "audio" {
			return true
		}
	}
	return false
}

// estimateSpeech counts characters, which is how a model of speech is priced; by
// tokens it costs less for the text, and some of sound.
func (a *Ask) estimateSpeech(said asked) {
	characters := textLength(said.Input)
	a.Estimate.InText = characters + textLength(said.Instructions)
	a.Counted.InText = a.Estimate.InText
	a.MaxOutput = characters*speechTokensPerCharacterHalves/2 + 1
	a.Estimate.OutAudio = a.MaxOutput
}

// textLength is the length of a JSON string in characters.
func textLength(value json.RawMessage) int64 {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return int64(len(value)) // the provider says what is wrong with it
	}
	return int64(utf8.RuneCountInString(text))
}

// bounded reads a number that may be left out.
func bounded(name string, value *int64, unset, least, most int64) (int64, error) {
	if value == nil {
		return unset, nil
	}
	if *value < least || *value > most {
		return 0, fmt.Errorf("%s must be a whole number from %d to %d", name, least, most)
	}
	return *value, nil
}

// bodyError says what is wrong with a body, without any of it.
func bodyError(err error) error {
	mismatch, isType := errors.AsType[*json.UnmarshalTypeError](err)
	if !isType {
		return errors.New("body must be a JSON object")
	}
	if mismatch.Field == "" {
		return errors.New("body must be a JSON object")
	}
	return fmt.Errorf("%s must be a %s", mismatch.Field, kindName(mismatch.Type.String()))
}

func kindName(goType string) string {
	switch strings.TrimLeft(goType, "*") {
	case "int64":
		return "whole number"
	case "bool":
		return "true or false"
	case "string":
		return "text"
	}
	return "list or an object, as the provider's own documentation says"
}

func isTrue(value *bool) bool { return value != nil && *value }

func isGiven(value json.RawMessage) bool { return len(value) > 0 && string(value) != "null" }
