package fakeprovider

// responses answers responses.
func (p *provider) responses(c *call) {
	answer := c.reply()
	usage := c.counts(answer)
	if c.ask.Stream {
		c.streamResponse(answer, usage)
		return
	}
	c.json(c.response(answer, answer.responseStatus(), []object{answer.responseItem("completed")}, &usage))
}

func (r reply) responseStatus() string {
	if r.stopped {
		return "incomplete"
	}
	return "completed"
}

// response is the object in its present state; usage is nil before the end.
func (c *call) response(answer reply, status string, output []object, usage *counts) object {
	body := object{
		"id": "resp_fake", "object": "response", "created_at": created, "status": status, "model": c.ask.Model,
		"output": output, "error": nil, "incomplete_details": nil, "instructions": orNull(c.ask.Instructions),
		"metadata": object{}, "parallel_tool_calls": true, "temperature": 1, "top_p": 1, "tool_choice": "auto",
		"tools": []any{}, "max_output_tokens": nil, "previous_response_id": nil, "reasoning": object{"effort": nil, "summary": nil},
		"store": false, "text": object{"format": object{"type": "text"}}, "truncation": "disabled", "usage": nil, "user": nil,
	}
	if status == "incomplete" {
		body["incomplete_details"] = object{"reason": "max_output_tokens"}
	}
	if status == "failed" {
		body["error"] = object{"code": "server_error", "message": failure}
	}
	if usage != nil && !c.usageMissing() {
		body["usage"] = usage.responses()
	}
	return body
}

// responseItem is the one item of the output.
func (r reply) responseItem(status string) object {
	if r.tool != nil {
		return object{
			"id": "fc_fake", "type": "function_call", "call_id": "call_fake", "name": r.tool.name,
			"arguments": r.tool.arguments, "status": status,
		}
	}
	return object{
		"id": "msg_fake", "type": "message", "role": "assistant", "status": status,
		"content": []object{r.responsePart(r.text())},
	}
}

func (r reply) responsePart(text string) object {
	return object{"type": "output_text", "text": text, "annotations": []any{}, "logprobs": []any{}}
}

// responseStream numbers its events, as the format asks for.
type responseStream struct {
	*stream
	number int
}

func (s *responseStream) typed(kind string, data object) object {
	data["type"], data["sequence_number"] = kind, s.number
	s.number++
	return data
}

func (c *call) streamResponse(answer reply, usage counts) {
	s := &responseStream{}
	s.stream = c.newStream(true, func() object {
		return s.typed("response.failed", object{"response": c.response(answer, "failed", nil, nil)})
	})
	for _, kind := range []string{"response.created", "response.in_progress"} {
		s.event(s.typed(kind, object{"response": c.response(answer, "in_progress", []object{}, nil)}))
	}
	sent := s.textItem
	if answer.tool != nil {
		sent = s.toolItem
	}
	if !sent(answer) || !s.ending() {
		return
	}
	s.event(s.typed("response.output_item.done", object{"output_index": 0, "item": answer.responseItem("completed")}))
	if !c.switches.NoDone {
		status := answer.responseStatus()
		s.event(s.typed("response."+status, object{"response": c.response(answer, status, []object{answer.responseItem("completed")}, &usage)}))
	}
	s.close()
}

// textItem sends a message. It returns false if the stream was ended in it.
func (s *responseStream) textItem(answer reply) bool {
	item := answer.responseItem("in_progress")
	item["content"] = []any{}
	place := func(data object) object {
		data["item_id"], data["output_index"], data["content_index"] = "msg_fake", 0, 0
		return data
	}
	s.event(s.typed("response.output_item.added", object{"output_index": 0, "item": item}))
	s.event(s.typed("response.content_part.added", place(object{"part": answer.responsePart("")})))
	for i := range answer.words {
		delta := object{"delta": answer.pieceAt(i), "logprobs": []any{}}
		if !s.piece(s.typed("response.output_text.delta", place(delta))) {
			return false
		}
	}
	s.event(s.typed("response.output_text.done", place(object{"text": answer.text(), "logprobs": []any{}})))
	s.event(s.typed("response.content_part.done", place(object{"part": answer.responsePart(answer.text())})))
	return true
}

// toolItem sends the call of a tool, likewise.
func (s *responseStream) toolItem(answer reply) bool {
	item := answer.responseItem("in_progress")
	item["arguments"] = ""
	place := func(data object) object {
		data["item_id"], data["output_index"] = "fc_fake", 0
		return data
	}
	s.event(s.typed("response.output_item.added", object{"output_index": 0, "item": item}))
	for _, piece := range answer.tool.pieces() {
		if !s.piece(s.typed("response.function_call_arguments.delta", place(object{"delta": piece}))) {
			return false
		}
	}
	s.event(s.typed("response.function_call_arguments.done",
		place(object{"arguments": answer.tool.arguments, "name": answer.tool.name})))
	return true
}
