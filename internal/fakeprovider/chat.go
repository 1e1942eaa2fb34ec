package fakeprovider

import (
	"encoding/base64"
	"strings"
)

// created is when everything of the fake provider was made.
const created = 1_700_000_000

// chat answers chat/completions.
func (p *provider) chat(c *call) {
	answer := c.reply()
	choices := max(c.ask.N, 1)
	answers := make([]reply, choices)
	for i := range answers {
		answers[i] = answer
	}
	usage := c.counts(answers...)
	if c.ask.Stream {
		c.streamChat(answer, choices, usage)
		return
	}
	body := object{
		"id": "chatcmpl-fake", "object": "chat.completion", "created": created, "model": c.ask.Model,
		"service_tier": "default", "system_fingerprint": "fp_fake", "choices": answer.chatChoices(choices),
	}
	if !c.usageMissing() {
		body["usage"] = usage.chat()
	}
	c.json(body)
}

func (r reply) chatChoices(n int) []object {
	choices := make([]object, n)
	for i := range choices {
		message := object{"role": "assistant", "content": nil, "refusal": nil, "annotations": []any{}}
		switch {
		case r.tool != nil:
			message["tool_calls"] = []object{{
				"id": "call_fake", "type": "function",
				"function": object{"name": r.tool.name, "arguments": r.tool.arguments},
			}}
		case r.spoken:
			message["audio"] = object{"id": "audio_fake", "data": spoken(r.text()), "expires_at": created, "transcript": r.text()}
		default:
			message["content"] = r.text()
		}
		choices[i] = object{"index": i, "message": message, "logprobs": nil, "finish_reason": r.chatFinish()}
	}
	return choices
}

func (r reply) chatFinish() string {
	switch {
	case r.tool != nil:
		return "tool_calls"
	case r.stopped:
		return "length"
	}
	return "stop"
}

// streamChat sends the answer word by word. The usage has a chunk of its own, if
// the request asks for it, and is null in all others.
func (c *call) streamChat(answer reply, choices int, usage counts) {
	s := c.newStream(false, func() object {
		return openAIErrors.body("server_error", failure, "")
	})
	chunk := func(index int, delta object, finish any) object {
		data := object{
			"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": created, "model": c.ask.Model,
			"service_tier": "default", "system_fingerprint": "fp_fake",
			"choices": []object{{"index": index, "delta": delta, "logprobs": nil, "finish_reason": finish}},
		}
		if c.ask.Options.IncludeUsage {
			data["usage"] = nil
		}
		return data
	}
	for i := range choices {
		s.event(chunk(i, object{"role": "assistant", "content": "", "refusal": nil}, nil))
		for _, delta := range answer.chatDeltas() {
			if !s.piece(chunk(i, delta, nil)) {
				return
			}
		}
		if i == choices-1 && !s.ending() {
			return
		}
		s.event(chunk(i, object{}, answer.chatFinish()))
	}
	if c.ask.Options.IncludeUsage && !c.usageMissing() {
		last := chunk(0, nil, nil)
		last["choices"], last["usage"] = []any{}, usage.chat()
		s.event(last)
	}
	if !c.switches.NoDone {
		s.raw("data: [DONE]\n\n")
	}
	s.close()
}

func (r reply) chatDeltas() []object {
	if r.tool != nil {
		deltas := []object{{"tool_calls": []object{{
			"index": 0, "id": "call_fake", "type": "function", "function": object{"name": r.tool.name, "arguments": ""},
		}}}}
		for _, piece := range r.tool.pieces() {
			deltas = append(deltas, object{"tool_calls": []object{{"index": 0, "function": object{"arguments": piece}}}})
		}
		return deltas
	}
	deltas := make([]object, len(r.words))
	for i := range r.words {
		if r.spoken {
			deltas[i] = object{"audio": object{"id": "audio_fake", "data": spoken(r.pieceAt(i)), "transcript": r.pieceAt(i)}}
		} else {
			deltas[i] = object{"content": r.pieceAt(i)}
		}
	}
	return deltas
}

// bytesPerSpokenByte is how many bytes of sound a byte of text has.
const bytesPerSpokenByte = 64

// sound stands for a text that is said aloud.
func sound(text string) []byte {
	return []byte(strings.Repeat(text, bytesPerSpokenByte))
}

func spoken(text string) string { return base64.StdEncoding.EncodeToString(sound(text)) }
