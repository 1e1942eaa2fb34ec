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
	Estimate  pricing.Usage
	MaxOutput int64 // tokens of output of all results; 0 where there is no output
}

const (
	// DefaultMaxOutput is the output, in tokens, that is reserved for one result
	// where the request names no bound.
	DefaultMaxOutput = 4096
	// MaxResults bounds how many results one request may ask for, as OpenAI does.
	MaxResults = 128
	// maxPictureTokens is what the largest picture of an image model costs, in
	// tokens of output.
	maxPictureTokens = 6_300
	// unseenContextTokens is reserved where a request refers to a conversation that
	// the provider keeps, in tokens of input.
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

	PreviousResponseID json.RawMessage `json:"previous_response_id"`
	Conversation       json.RawMessage `json:"conversation"`
	Prompt             json.RawMessage `json:"prompt"` // images: a text; responses: one kept by the provider
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
	longest, err := said.longestResult()
	if err != nil {
		return Ask{}, err
	}
	ask := Ask{Model: said.Model, Stream: isTrue(said.Stream)}
	ask.IncludeUsage = said.StreamOptions != nil && isTrue(said.StreamOptions.IncludeUsage)
	ask.Estimate.Requests = results
	switch endpoint {
	case Embeddings:
		ask.Estimate.InText = inputOf(body).InText
	case Speech:
		ask.Stream = said.StreamFormat == "sse"
		ask.estimateSpeech(said)
	case Images:
		ask.Estimate.InText = inputOf(body).InText
		ask.MaxOutput = results * maxPictureTokens
		ask.Estimate.OutText = ask.MaxOutput
	default:
		input := inputOf(body)
		ask.Estimate.InText, ask.Estimate.InAudio = input.InText+said.unseenTokens(endpoint), input.InAudio
		ask.MaxOutput = results * longest
		ask.Estimate.OutText = ask.MaxOutput
		if said.wantsAudio() {
			ask.Estimate.OutAudio = ask.MaxOutput
		}
	}
	return ask, nil
}

// longestResult is the bound of one result's output. The largest of the names
// counts: a server may heed any.
func (a asked) longestResult() (int64, error) {
	var longest int64
	for _, limit := range []struct {
		name  string
		value *int64
	}{
		{"max_tokens", a.MaxTokens}, {"max_completion_tokens", a.MaxCompletionTokens}, {"max_output_tokens", a.MaxOutputTokens},
	} {
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

// unseenTokens is reserved for a context that is not in the body.
func (a asked) unseenTokens(endpoint Endpoint) int64 {
	if endpoint == Responses && (isGiven(a.PreviousResponseID) || isGiven(a.Conversation) || isGiven(a.Prompt)) {
		return unseenContextTokens
	}
	return 0
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
