package realtime

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"

	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// A token is 50 milliseconds of what a model says, and 100 of what it hears.
const (
	pcmBytesSaid   = 50 * audioBytesPerMillisecond
	pcmBytesHeard  = 100 * audioBytesPerMillisecond
	g711BytesSaid  = 50 * 8 // 8,000 samples of a byte a second, as telephones have
	g711BytesHeard = 100 * 8
)

// sound is how many bytes of a session's audio a token is, either way.
type sound struct{ heard, said int64 }

// counter counts what a response has said so far by itself, for extending its hold
// and for the bill of one that was cut.
type counter struct {
	pieces, textBytes, audioBytes int64
}

// add reads one delta. The text between the quotes is measured, not decoded.
func (c *counter) add(kind string, message []byte) {
	text := deltaText(message)
	if len(text) == 0 {
		return
	}
	if strings.HasSuffix(kind, "audio.delta") {
		c.audioBytes += decodedBytes(text)
		return
	}
	c.pieces++
	c.textBytes += int64(len(text))
}

// usage is at least a token for each piece of text.
func (c *counter) usage(bytesPerAudioToken int64) pricing.Usage {
	return pricing.Usage{
		OutText:  max(c.pieces, roundedUp(c.textBytes, metering.BytesPerToken)),
		OutAudio: roundedUp(c.audioBytes, bytesPerAudioToken),
	}
}

func roundedUp(count, unit int64) int64 { return (count + unit - 1) / unit }

// decodedBytes is how much data a text in base64 is.
func decodedBytes(text []byte) int64 {
	return int64(base64.RawStdEncoding.DecodedLen(len(bytes.TrimRight(text, "="))))
}

// deltaText is the text of a delta as it is written, with its escapes.
func deltaText(message []byte) []byte {
	_, text, found := bytes.Cut(message, []byte(`"delta":`))
	if !found {
		return nil
	}
	text = bytes.TrimLeft(text, " ")
	if len(text) == 0 || text[0] != '"' {
		return nil
	}
	for at := 1; at < len(text); at++ {
		switch text[at] {
		case '\\':
			at++
		case '"':
			return text[1:at]
		}
	}
	return nil
}

// audioFormat is how a session names a format, in the newer spelling.
type audioFormat struct {
	Format struct {
		Type string `json:"type"`
	} `json:"format"`
}

// learn takes over what a description of the session says about its sound, in the
// older spelling or the newer.
func (s *sound) learn(message []byte) {
	var said struct {
		Session struct {
			InputFormat  string `json:"input_audio_format"`
			OutputFormat string `json:"output_audio_format"`
			Audio        struct {
				Input  audioFormat `json:"input"`
				Output audioFormat `json:"output"`
			} `json:"audio"`
		} `json:"session"`
	}
	_ = json.Unmarshal(message, &said) // a member of another type says nothing
	described := said.Session
	choose(&s.heard, described.InputFormat+described.Audio.Input.Format.Type, pcmBytesHeard, g711BytesHeard)
	choose(&s.said, described.OutputFormat+described.Audio.Output.Format.Type, pcmBytesSaid, g711BytesSaid)
}

func choose(bytes *int64, format string, pcm, g711 int64) {
	switch format {
	case "":
	case "g711_ulaw", "g711_alaw", "audio/pcmu", "audio/pcma":
		*bytes = g711
	default:
		*bytes = pcm
	}
}
