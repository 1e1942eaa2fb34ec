package fakeprovider

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// transcript is what everybody says in the files that are sent.
var transcript = []string{"The", "fake", "provider", "heard", "a", "file."}

// transcriptions answers audio/transcriptions.
func (p *provider) transcriptions(c *call) {
	seconds := (c.ask.fileBytes + AudioBytesPerSecond - 1) / AudioBytesPerSecond
	answer := reply{words: transcript}
	if c.switches.Words > 0 {
		answer = c.reply()
	}
	usage := c.transcriptionUsage(seconds, answer)
	if c.ask.Stream && c.ask.Model != "whisper-1" {
		c.streamTranscript(answer, usage)
		return
	}
	switch format, _ := c.ask.ResponseFormat.(string); format {
	case "text":
		c.whole("text/plain; charset=utf-8", []byte(answer.text()+"\n"))
	case "srt", "vtt":
		c.whole("text/plain; charset=utf-8", []byte(subtitles(format, seconds, answer.text())))
	case "verbose_json":
		body := object{
			"task": "transcribe", "language": "english", "duration": float64(seconds), "text": answer.text(),
			"segments": []object{{"id": 0, "seek": 0, "start": 0, "end": seconds, "text": answer.text(), "tokens": []any{},
				"temperature": 0, "avg_logprob": 0, "compression_ratio": 1, "no_speech_prob": 0}},
		}
		if usage != nil {
			body["usage"] = object{"type": "duration", "seconds": seconds}
		}
		c.json(body)
	default:
		body := object{"text": answer.text()}
		if usage != nil {
			body["usage"] = usage
		}
		c.json(body)
	}
}

// transcriptionUsage is a duration for the oldest model, and tokens for all others.
func (c *call) transcriptionUsage(seconds int64, answer reply) object {
	if c.usageMissing() {
		return nil
	}
	if c.switches.Usage == UsageZero {
		seconds = 0
	}
	if c.ask.Model == "whisper-1" {
		return object{"type": "duration", "seconds": seconds}
	}
	n := c.counts(answer)
	if c.switches.In == off {
		n.in = seconds * AudioTokens
	}
	return object{
		"type": "tokens", "input_tokens": n.in, "output_tokens": n.out, "total_tokens": n.in + n.out,
		"input_token_details": object{"text_tokens": 0, "audio_tokens": n.in},
	}
}

func (c *call) streamTranscript(answer reply, usage object) {
	s := c.newStream(false, func() object { return openAIErrors.body("server_error", failure, "") })
	for i := range answer.words {
		if !s.piece(object{"type": "transcript.text.delta", "delta": answer.pieceAt(i)}) {
			return
		}
	}
	if !s.ending() {
		return
	}
	if !c.switches.NoDone {
		done := object{"type": "transcript.text.done", "text": answer.text()}
		if usage != nil {
			done["usage"] = usage
		}
		s.event(done)
	}
	s.close()
}

func subtitles(format string, seconds int64, text string) string {
	end := fmt.Sprintf("%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	if format == "srt" {
		return "1\n00:00:00,000 --> " + end + ",000\n" + text + "\n\n"
	}
	return "WEBVTT\n\n00:00:00.000 --> " + end + ".000\n" + text + "\n\n"
}

// speechTypes are the types of the formats that a speech may have.
var speechTypes = map[string]string{
	"": "audio/mpeg", "mp3": "audio/mpeg", "opus": "audio/opus", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav", "pcm": "audio/pcm",
}

// speech answers audio/speech with sound, or with events that carry it. Only the
// last event says what it consumed.
func (p *provider) speech(c *call) {
	var text said
	text.add(c.ask.Input)
	answer := reply{words: strings.Fields(text.last), spoken: true}
	format, _ := c.ask.ResponseFormat.(string)
	contentType, known := speechTypes[format]
	if !known {
		c.dialect.write(c.w, 400, "Invalid 'response_format': there is no "+format+".", "response_format")
		return
	}
	if c.ask.StreamFormat == "sse" {
		c.streamSpeech(answer)
		return
	}
	c.whole(contentType, sound(answer.text()))
}

func (c *call) streamSpeech(answer reply) {
	usage := c.counts(answer)
	s := c.newStream(false, func() object { return openAIErrors.body("server_error", failure, "") })
	for i := range answer.words {
		audio := base64.StdEncoding.EncodeToString(sound(answer.pieceAt(i)))
		if !s.piece(object{"type": "speech.audio.delta", "audio": audio}) {
			return
		}
	}
	if !s.ending() {
		return
	}
	if !c.switches.NoDone {
		done := object{"type": "speech.audio.done"}
		if !c.usageMissing() {
			done["usage"] = object{"input_tokens": usage.in, "output_tokens": usage.out, "total_tokens": usage.in + usage.out}
		}
		s.event(done)
	}
	s.close()
}
