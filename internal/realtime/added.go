package realtime

import (
	"encoding/json"

	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// addition is what a client adds to what a model hears.
type addition struct {
	text   int64 // bytes
	sound  int64 // bytes of PCM
	images int64
}

func (a addition) plus(more addition) addition {
	return addition{a.text + more.text, a.sound + more.sound, a.images + more.images}
}

// usage is our count of an addition, in classes that a model may have no price for.
func (a addition) usage() pricing.Usage {
	return pricing.Usage{
		InText:  min(roundedUp(a.text, metering.BytesPerToken), maxAdded),
		InAudio: min(roundedUp(a.sound, pcmBytesHeard), maxAdded),
		InImage: min(a.images*imageTokens, maxAdded),
	}
}

// item is an item of the conversation in a message of the client.
type item struct {
	Type    string `json:"type"`
	Content []part `json:"content"`
}

// part is a piece of an item.
type part struct {
	Type     string          `json:"type"`
	Audio    string          `json:"audio"`
	ImageURL json.RawMessage `json:"image_url"`
}

// additionOf counts what a message adds. Only sound and pictures at their known
// places are counted as such: all else is text.
func (e clientEvent) additionOf(heard sound) addition {
	message := e.body.Text()
	added := addition{text: int64(len(message))}
	for _, item := range e.items() {
		for _, part := range item.Content {
			added = added.plus(part.media(heard))
		}
	}
	added.text = max(added.text, 0)
	return added
}

// items are the items in a message.
func (e clientEvent) items() []item {
	var said struct {
		Item     item `json:"item"`
		Response struct {
			Input []item `json:"input"`
		} `json:"response"`
	}
	_ = json.Unmarshal(e.body.Text(), &said) // a member of another type is text
	return append(said.Response.Input, said.Item)
}

// media is a part's sound or picture, and takes its letters from the text.
func (p part) media(heard sound) addition {
	switch p.Type {
	case "input_audio", "audio", "output_audio":
		return addition{text: -int64(len(p.Audio)), sound: heard.pcm(decodedBytes([]byte(p.Audio)))}
	case "input_image":
		return addition{text: -int64(len(p.ImageURL)), images: 1}
	}
	return addition{}
}

// ownInput is what a request for a response brings along in the place of the
// conversation.
func (e clientEvent) ownInput() (items []item, isGiven bool) {
	var said struct {
		Response struct {
			Input []item `json:"input"`
		} `json:"response"`
	}
	if e.kind != eventResponseCreate || json.Unmarshal(e.body.Text(), &said) != nil {
		return nil, false
	}
	return said.Response.Input, said.Response.Input != nil
}

// isApart tells whether the client asks for a response that hears nothing but what
// the message itself brings along, and that nothing hears later.
func (e clientEvent) isApart() bool {
	conversation, err := e.text("response", "conversation")
	if err != nil || conversation != "none" {
		return false
	}
	items, isGiven := e.ownInput()
	for _, item := range items {
		switch item.Type {
		case "message", "function_call", "function_call_output":
		default: // a reference may be to anything that was said
			return false
		}
	}
	return isGiven
}
