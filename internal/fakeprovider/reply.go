package fakeprovider

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// reply is what the model answers, before any format.
type reply struct {
	words   []string
	tool    *toolCall
	spoken  bool // the words are said, not written
	stopped bool // the bound of the output ended it
}

type toolCall struct {
	name      string
	arguments string // JSON
}

// maxWords bounds the answer that a switch makes longer.
const maxWords = 1_000_000

// maxEchoedWords bounds how much of the question is in the answer.
const maxEchoedWords = 8

// reply makes the answer to a request.
func (c *call) reply() reply {
	heard := c.ask.heard()
	if tool := c.ask.calledTool(); tool != nil && !heard.toolResult {
		return reply{tool: tool}
	}
	words := strings.Fields(heard.last)
	words = append([]string{"The", "fake", "provider", "heard:"}, words[:min(len(words), maxEchoedWords)]...)
	if wanted := c.switches.Words; wanted > 0 {
		words = make([]string, min(wanted, maxWords))
		for i := range words {
			words[i] = "word" + strconv.Itoa(i+1)
		}
	}
	r := reply{words: words, spoken: slices.Contains(c.ask.Modalities, "audio")}
	if bound := max(c.ask.MaxTokens, c.ask.MaxCompletionTokens, c.ask.MaxOutputTokens); bound > 0 && bound < len(words) {
		r.words, r.stopped = words[:bound], true
	}
	return r
}

func (r reply) text() string { return strings.Join(r.words, " ") }

// pieceAt is the text of one piece of a stream; all together are the whole.
func (r reply) pieceAt(i int) string {
	if i == 0 {
		return r.words[0]
	}
	return " " + r.words[i]
}

// tokens is what one such answer counts.
func (r reply) tokens() (text, audio int64) {
	switch {
	case r.tool != nil:
		return ToolTokens, 0
	case r.spoken:
		return 0, int64(len(r.words)) * AudioTokensPerWord
	}
	return int64(len(r.words)), 0
}

// calledTool is the first tool that the request lets the model call.
func (a *ask) calledTool() *toolCall {
	if len(a.Tools) == 0 || strings.Contains(string(a.ToolChoice), `"none"`) {
		return nil
	}
	for _, t := range a.Tools {
		name, schema := t.Name, t.Parameters
		if t.Function.Name != "" {
			name, schema = t.Function.Name, t.Function.Parameters
		}
		if len(t.InputSchema) > 0 {
			schema = t.InputSchema
		}
		if name != "" {
			return &toolCall{name: name, arguments: exampleOf(schema)}
		}
	}
	return nil
}

// exampleOf makes arguments that fit a flat JSON schema.
func exampleOf(schema json.RawMessage) string {
	var said struct {
		Properties map[string]struct {
			Type string `json:"type"`
			Enum []any  `json:"enum"`
		} `json:"properties"`
	}
	_ = json.Unmarshal(schema, &said) // without a schema there are no arguments
	values := object{}
	for name, property := range said.Properties {
		switch {
		case len(property.Enum) > 0:
			values[name] = property.Enum[0]
		case property.Type == "number" || property.Type == "integer":
			values[name] = 1
		case property.Type == "boolean":
			values[name] = true
		case property.Type == "string":
			values[name] = "fake " + name
		}
	}
	text, _ := json.Marshal(values)
	return string(text)
}

// pieces cuts the arguments in two, as a stream brings them.
func (t *toolCall) pieces() []string {
	half := len(t.arguments) / 2
	return []string{t.arguments[:half], t.arguments[half:]}
}
