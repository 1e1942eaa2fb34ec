package realtime

import (
	"bytes"
	"encoding/base64"
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

// pcm is how many bytes of PCM sound as long as some of the session's.
func (s sound) pcm(bytes int64) int64 { return bytes * pcmBytesHeard / s.heard }

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
	c.addText(string(text))
}

func (c *counter) addText(text string) {
	if text != "" {
		c.pieces++
		c.textBytes += int64(len(text))
	}
}

func (c *counter) isEmpty() bool { return *c == counter{} }

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

// choose takes over what a description of the session says about its sound.
func (s *sound) choose(said described) {
	chooseBytes(&s.heard, said.InputFormat+said.Audio.Input.Format.Type, pcmBytesHeard, g711BytesHeard)
	chooseBytes(&s.said, said.OutputFormat+said.Audio.Output.Format.Type, pcmBytesSaid, g711BytesSaid)
}

func chooseBytes(bytes *int64, format string, pcm, g711 int64) {
	switch format {
	case "":
	case "g711_ulaw", "g711_alaw", "audio/pcmu", "audio/pcma":
		*bytes = g711
	default:
		*bytes = pcm
	}
}
