package realtime

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func TestWhatAClientAddsIsCounted(t *testing.T) {
	pcm, telephone := sound{pcmBytesHeard, pcmBytesSaid}, sound{g711BytesHeard, g711BytesSaid}
	audio := base64.StdEncoding.EncodeToString(make([]byte, g711BytesHeard))
	picture := `"data:image/png;base64,` + strings.Repeat("A", 5_000) + `"`
	tests := map[string]struct {
		part  string
		sound sound
		media int // bytes of the message that are no text
		want  addition
	}{
		"text":                      {`{"type":"input_text","text":"hello"}`, pcm, 0, addition{}},
		"sound":                     {fmt.Sprintf(`{"type":"input_audio","audio":%q}`, audio), pcm, len(audio), addition{sound: g711BytesHeard}},
		"sound of a telephone":      {fmt.Sprintf(`{"type":"input_audio","audio":%q}`, audio), telephone, len(audio), addition{sound: pcmBytesHeard}},
		"a picture":                 {`{"type":"input_image","image_url":` + picture + `}`, pcm, len(picture), addition{images: 1}},
		"a picture elsewhere":       {`{"type":"input_image","image_url":"https://x"}`, pcm, len(`"https://x"`), addition{images: 1}},
		"text that looks like both": {fmt.Sprintf(`{"type":"input_text","text":"x","audio":%q,"image_url":%s}`, audio, picture), pcm, 0, addition{}},
		"a sound named twice":       {fmt.Sprintf(`{"type":"input_audio","audio":%q,"audio":"AAAA"}`, audio), pcm, 4, addition{sound: 3}},
		"another type":              {`{"type":7,"audio":7}`, pcm, 0, addition{}},
	}
	for name, test := range tests {
		for kind, message := range map[string]string{
			"an item":      `{"type":"conversation.item.create","item":{"type":"message","content":[` + test.part + `]}}`,
			"own input":    `{"type":"response.create","response":{"input":[{"type":"message","content":[` + test.part + `]}]}}`,
			"not an array": `{"type":"conversation.item.create","item":{"type":"message","content":` + test.part + `}}`,
		} {
			event, err := readClientEvent([]byte(message))
			if err != nil {
				t.Fatal(err)
			}
			want := test.want
			want.text = int64(len(message) - test.media)
			if kind == "not an array" {
				want = addition{text: int64(len(message))}
			}
			if got := event.additionOf(test.sound); got != want {
				t.Errorf("%s in %s is %+v, want %+v", name, kind, got, want)
			}
		}
	}
}

func TestWhatIsApart(t *testing.T) {
	for message, want := range map[string]bool{
		`{"conversation":"none","input":[{"type":"message","content":[]}]}`:                                       true,
		`{"conversation":"none","input":[]}`:                                                                      true,
		`{"conversation":"none","input":[{"type":"message","content":[]},{"type":"item_reference","id":"item"}]}`: false,
		`{"conversation":"none","input":[{"id":"item"}]}`:                                                         false,
		`{"conversation":"none"}`:                                                                                 false,
		`{"conversation":"auto","input":[]}`:                                                                      false,
		`{"input":[]}`:                                                                                            false,
		`{"conversation":7,"input":[]}`:                                                                           false,
		`{"conversation":"none","input":[{"type":"message","content":"text"}]}`:                                   false,
	} {
		event, err := readClientEvent([]byte(`{"type":"response.create","response":` + message + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if event.isApart() != want {
			t.Errorf("%s is apart: %t", message, !want)
		}
	}
}
