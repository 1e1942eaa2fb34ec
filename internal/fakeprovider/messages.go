package fakeprovider

import "encoding/json"

// messages answers Anthropic's messages.
func (p *provider) messages(c *call) {
	answer := c.reply()
	usage := c.counts(answer)
	c.w.Header().Set("Request-Id", "req_fake")
	if c.ask.Stream {
		c.streamMessage(answer, usage)
		return
	}
	body := c.message([]object{answer.messageBlock()})
	body["stop_reason"] = answer.messageStop()
	if !c.usageMissing() {
		body["usage"] = usage.messages()
	}
	c.json(body)
}

// message is the object, before its end.
func (c *call) message(content []object) object {
	return object{
		"id": "msg_fake", "type": "message", "role": "assistant", "model": c.ask.Model,
		"content": content, "stop_reason": nil, "stop_sequence": nil,
	}
}

func (r reply) messageBlock() object {
	if r.tool != nil {
		return object{"type": "tool_use", "id": "toolu_fake", "name": r.tool.name, "input": json.RawMessage(r.tool.arguments)}
	}
	return object{"type": "text", "text": r.text(), "citations": nil}
}

func (r reply) messageStop() string {
	switch {
	case r.tool != nil:
		return "tool_use"
	case r.stopped:
		return "max_tokens"
	}
	return "end_turn"
}

// streamMessage tells the input's usage at the start, and the output's at the end:
// there the counts are those of the whole, as they are with Anthropic.
func (c *call) streamMessage(answer reply, usage counts) {
	s := c.newStream(true, func() object {
		return anthropicErrors.body("api_error", failure, "")
	})
	first := c.message([]object{})
	if !c.usageMissing() {
		atStart := usage
		atStart.out = min(usage.out, 1)
		first["usage"] = atStart.messages()
	}
	s.event(object{"type": "message_start", "message": first})
	s.event(object{"type": "content_block_start", "index": 0, "content_block": answer.emptyBlock()})
	s.event(object{"type": "ping"})
	for _, delta := range answer.messageDeltas() {
		if !s.piece(object{"type": "content_block_delta", "index": 0, "delta": delta}) {
			return
		}
	}
	if !s.ending() {
		return
	}
	s.event(object{"type": "content_block_stop", "index": 0})
	last := object{"type": "message_delta", "delta": object{"stop_reason": answer.messageStop(), "stop_sequence": nil}}
	if !c.usageMissing() {
		last["usage"] = object{"output_tokens": usage.out}
	}
	s.event(last)
	if !c.switches.NoDone {
		s.event(object{"type": "message_stop"})
	}
	s.close()
}

func (r reply) emptyBlock() object {
	block := r.messageBlock()
	if r.tool != nil {
		block["input"] = object{}
	} else {
		block["text"] = ""
	}
	return block
}

func (r reply) messageDeltas() (deltas []object) {
	if r.tool != nil {
		for _, piece := range r.tool.pieces() {
			deltas = append(deltas, object{"type": "input_json_delta", "partial_json": piece})
		}
		return deltas
	}
	for i := range r.words {
		deltas = append(deltas, object{"type": "text_delta", "text": r.pieceAt(i)})
	}
	return deltas
}
