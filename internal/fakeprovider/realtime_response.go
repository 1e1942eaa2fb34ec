package fakeprovider

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// realtimeResponse is one answer on its way.
type realtimeResponse struct {
	*realtimeSession
	id       string
	switches Switches
	words    []string
	spoken   bool
	heard    realtimeCounts // its input, of which cached came from the cache
	cached   realtimeCounts
}

// respond begins to answer, and lets the client speak meanwhile.
func (s *realtimeSession) respond(ctx context.Context, asked realtimeAsk) {
	switches, err := s.switches(strings.TrimPrefix(asked.Metadata.Fake, fieldPrefix))
	if err != nil {
		s.refuse(ctx, "invalid_value", err.Error())
		return
	}
	r := s.begin(asked, switches)
	if r == nil {
		s.refuse(ctx, "conversation_already_has_active_response", "Conversation already has an active response.")
		return
	}
	running, cancel := context.WithCancel(ctx)
	s.mutex.Lock()
	s.cancel = cancel
	s.mutex.Unlock()
	go func() {
		defer cancel()
		r.answer(ctx, running)
	}()
}

func (s *realtimeSession) refuse(ctx context.Context, code, message string) {
	s.send(ctx, object{"type": "error", "error": object{
		"type": "invalid_request_error", "code": code, "message": message, "param": nil, "event_id": nil,
	}})
}

// begin takes down what the answer hears. One runs already: nil.
func (s *realtimeSession) begin(asked realtimeAsk, switches Switches) *realtimeResponse {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.cancel != nil {
		return nil
	}
	s.cancel = func() {}
	s.responses++
	r := &realtimeResponse{
		realtimeSession: s, id: fmt.Sprintf("resp_%d", s.responses), switches: switches,
		words: realtimeWords(s.lastText, switches.Words), heard: s.said, cached: s.cached,
	}
	modalities := slices.Concat(asked.OutputModalities, asked.Modalities)
	if len(modalities) == 0 {
		modalities = slices.Concat(s.settings.OutputModalities, s.settings.Modalities)
	}
	r.spoken = len(modalities) == 0 || slices.Contains(modalities, "audio")
	s.cached = s.said
	return r
}

func realtimeWords(heard string, wanted int) []string {
	if wanted > 0 {
		words := make([]string, wanted)
		for i := range words {
			words[i] = "word" + strconv.Itoa(i+1)
		}
		return words
	}
	words := strings.Fields(heard)
	return append([]string{"The", "fake", "provider", "heard:"}, words[:min(len(words), maxEchoedWords)]...)
}

// answer says word by word, and at the end what it cost.
func (r *realtimeResponse) answer(ctx, running context.Context) {
	r.send(ctx, object{"type": "response.created", "response": r.describe("in_progress", nil)})
	status, said := "completed", 0
	for ; said < len(r.words); said++ {
		switch said {
		case r.switches.Cut:
			r.socket.CloseNow()
			return
		case r.switches.Hang:
			return
		case r.switches.Fail:
			status = "failed"
		}
		if status != "completed" {
			break
		}
		if !waits(running, r.switches.Slow) {
			status = "cancelled"
			break
		}
		r.say(ctx, r.words[said])
	}
	done := object{"type": "response.done", "response": r.describe(status, r.usage(int64(said)))}
	r.end(int64(said))
	r.send(ctx, done)
	if r.switches.Twice {
		r.send(ctx, done)
	}
}

func waits(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// end puts the answer into the conversation.
func (r *realtimeResponse) end(said int64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.cancel = nil
	r.said.text += said
	if r.spoken {
		r.said.audio += said * AudioTokensPerWord
	}
}

func (r *realtimeResponse) describe(status string, usage any) object {
	return object{"id": r.id, "object": "realtime.response", "status": status, "output": []any{}, "usage": usage}
}

// say sends one word, in the older names of the events or the newer.
func (r *realtimeResponse) say(ctx context.Context, word string) {
	prefix := "response.output_"
	if r.older {
		prefix = "response."
	}
	delta := func(kind, text string) {
		r.send(ctx, object{
			"type": prefix + kind + ".delta", "response_id": r.id, "item_id": "item_of_" + r.id,
			"output_index": 0, "content_index": 0, "delta": text,
		})
	}
	if !r.spoken {
		delta("text", word+" ")
		return
	}
	delta("audio_transcript", word+" ")
	delta("audio", base64.StdEncoding.EncodeToString(make([]byte, spokenBytesPerWord)))
}

// usage is what the response cost after so many words, nil if it does not say.
func (r *realtimeResponse) usage(words int64) any {
	if r.switches.Usage == UsageMissing {
		return nil
	}
	in, out, cached := r.heard, realtimeCounts{text: words}, r.cached
	if r.spoken {
		out.audio = words * AudioTokensPerWord
	}
	if r.switches.In != off {
		in.text = r.switches.In
	}
	if r.switches.Out != off {
		out.text = r.switches.Out
	}
	switch {
	case r.switches.Usage == UsageZero:
		in, out, cached = realtimeCounts{}, realtimeCounts{}, realtimeCounts{}
	case r.switches.Usage == UsageWrong:
		cached = realtimeCounts{text: in.text + 1, audio: in.audio + 1}
	}
	return object{
		"total_tokens": in.text + in.audio + out.text + out.audio,
		"input_tokens": in.text + in.audio, "output_tokens": out.text + out.audio,
		"input_token_details": object{
			"text_tokens": in.text, "audio_tokens": in.audio, "image_tokens": 0, "cached_tokens": cached.text + cached.audio,
			"cached_tokens_details": object{"text_tokens": cached.text, "audio_tokens": cached.audio, "image_tokens": 0},
		},
		"output_token_details": object{"text_tokens": out.text, "audio_tokens": out.audio},
	}
}
