package realtime

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"

	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// Audio that a model speaks has a token for every 50 milliseconds.
const (
	pcmBytesPerToken  = 50 * audioBytesPerMillisecond
	g711BytesPerToken = 50 * 8 // 8,000 samples of a byte a second, as telephones have
)

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

// audioTokenBytes reads from a description of the session how much audio a token
// is, 0 where it does not say: in the older spelling or the newer.
func audioTokenBytes(message []byte) int64 {
	var said struct {
		Session struct {
			OutputFormat string `json:"output_audio_format"`
			Audio        struct {
				Output struct {
					Format struct {
						Type string `json:"type"`
					} `json:"format"`
				} `json:"output"`
			} `json:"audio"`
		} `json:"session"`
	}
	_ = json.Unmarshal(message, &said) // a member of another type says nothing
	switch format := said.Session.OutputFormat + said.Session.Audio.Output.Format.Type; format {
	case "":
		return 0
	case "g711_ulaw", "g711_alaw", "audio/pcmu", "audio/pcma":
		return g711BytesPerToken
	}
	return pcmBytesPerToken
}
