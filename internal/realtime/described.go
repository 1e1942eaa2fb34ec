package realtime

import "encoding/json"

// described is a session as one side describes it, in the older spelling or the
// newer.
type described struct {
	InputFormat   string          `json:"input_audio_format"`
	OutputFormat  string          `json:"output_audio_format"`
	Transcription json.RawMessage `json:"input_audio_transcription"`
	Audio         struct {
		Input struct {
			audioFormat
			Transcription json.RawMessage `json:"transcription"`
		} `json:"input"`
		Output audioFormat `json:"output"`
	} `json:"audio"`
}

type audioFormat struct {
	Format struct {
		Type string `json:"type"`
	} `json:"format"`
}

// readDescription reads the session in a message. A member of another type says
// nothing.
func readDescription(message []byte) described {
	var said struct {
		Session described `json:"session"`
	}
	_ = json.Unmarshal(message, &said)
	return said.Session
}

// transcription is what the description says about writing down what is heard.
func (d described) transcription() (said transcription) {
	for _, value := range []json.RawMessage{d.Audio.Input.Transcription, d.Transcription} {
		if value == nil {
			continue
		}
		said.isNamed = true
		var chosen *struct {
			Model string `json:"model"`
		}
		if json.Unmarshal(value, &chosen) == nil && chosen != nil {
			said.isOn = true
			said.model = chosen.Model
		}
	}
	return said
}
