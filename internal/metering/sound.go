package metering

import "encoding/json"

// spokenTokensPerSecond is what a second of sound is that a model says.
const spokenTokensPerSecond = 20

// soundBytesPerSecond is how many bytes a second has in the formats of a chat's
// sound, before base64. Of those that vary it is the least that is usual for speech,
// so that our own count is rather too high.
var soundBytesPerSecond = map[string]int64{
	"pcm16":     48_000, // 24 kHz, 16 bits
	"wav":       48_000,
	"flac":      24_000,
	"mp3":       8_000, // 64 kbit/s
	"aac":       8_000,
	"g711_ulaw": 8_000,
	"g711_alaw": 8_000,
	"opus":      4_000, // 32 kbit/s
}

// leastSoundBytesPerSecond is of a format that is not known.
const leastSoundBytesPerSecond = 4_000

// base64Length is how many letters so many bytes have.
func base64Length(bytes int64) int64 { return bytes * 4 / 3 }

// soundLettersPerToken is how many letters of base64 are a token of output.
func soundLettersPerToken(format string) int64 {
	perSecond, known := soundBytesPerSecond[format]
	if !known {
		perSecond = leastSoundBytesPerSecond
	}
	return base64Length(perSecond) / spokenTokensPerSecond
}

// soundFormat reads the format that a chat asks its sound in. Its name is read as
// the provider reads it, in lower case only.
func soundFormat(audio json.RawMessage) string {
	var said map[string]any
	_ = json.Unmarshal(audio, &said) // what is no object names none
	format, _ := said["format"].(string)
	return format
}
