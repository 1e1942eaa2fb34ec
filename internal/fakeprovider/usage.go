package fakeprovider

// counts is what a call consumed, before any format.
type counts struct {
	in, inAudio, inImage       int64 // in holds the other two, and what is cached
	cached, written            int64
	out, outAudio, outThoughts int64 // out holds the other two
}

// counts applies the rule of the package's comment, and then the switches.
func (c *call) counts(answers ...reply) counts {
	heard := c.ask.heard()
	n := counts{inAudio: heard.audio * AudioTokens, inImage: heard.images * ImageTokens, outThoughts: c.switches.Reasoning}
	n.in = heard.words + n.inAudio + n.inImage
	n.out = n.outThoughts
	for _, answer := range answers {
		text, audio := answer.tokens()
		n.out += text + audio
		n.outAudio += audio
	}
	n.cached, n.written = c.switches.Cached, c.switches.Written
	if c.switches.In != off {
		n.in = c.switches.In
	}
	if c.switches.Out != off {
		n.out = c.switches.Out
	}
	switch c.switches.Usage {
	case UsageZero:
		return counts{}
	case UsageWrong:
		n.cached, n.outThoughts = n.in+7, n.out+7
	}
	return n
}

// usageMissing tells whether the answer is to say nothing of its usage.
func (c *call) usageMissing() bool { return c.switches.Usage == UsageMissing }

// chat is the usage of chat completions.
func (n counts) chat() object {
	return object{
		"prompt_tokens": n.in, "completion_tokens": n.out, "total_tokens": n.in + n.out,
		"prompt_tokens_details": object{"cached_tokens": n.cached, "audio_tokens": n.inAudio, "cache_write_tokens": n.written},
		"completion_tokens_details": object{
			"reasoning_tokens": n.outThoughts, "audio_tokens": n.outAudio,
			"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
		},
	}
}

// responses is the usage of a response.
func (n counts) responses() object {
	return object{
		"input_tokens": n.in, "output_tokens": n.out, "total_tokens": n.in + n.out,
		"input_tokens_details":  object{"cached_tokens": n.cached, "cache_write_tokens": n.written},
		"output_tokens_details": object{"reasoning_tokens": n.outThoughts},
	}
}

// messages is the usage of a message, whose input is only what no cache had part in.
func (n counts) messages() object {
	return object{
		"input_tokens":                max(n.in-n.cached-n.written, 0),
		"cache_read_input_tokens":     n.cached,
		"cache_creation_input_tokens": n.written,
		"cache_creation":              object{"ephemeral_5m_input_tokens": n.written, "ephemeral_1h_input_tokens": 0},
		"output_tokens":               n.out,
		"service_tier":                "standard",
		"server_tool_use":             nil,
	}
}

// images is the usage of images that were made.
func (n counts) images() object {
	return object{
		"input_tokens": n.in, "output_tokens": n.out, "total_tokens": n.in + n.out,
		"input_tokens_details": object{"text_tokens": n.in - n.inImage, "image_tokens": n.inImage},
	}
}
