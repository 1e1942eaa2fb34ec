package metering

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// readInput is what ReadAsk makes of a body: the most, and our best count.
func readInput(t *testing.T, endpoint Endpoint, body string) Ask {
	t.Helper()
	ask, err := ReadAsk(endpoint, []byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body[:min(len(body), 100)], err)
	}
	return ask
}

func body(content string) string {
	return `{"model":"m","messages":[{"role":"user","content":` + content + `}]}`
}

func quoted(text string) string {
	encoded, _ := json.Marshal(text) // a text always encodes
	return string(encoded)
}

// A text is a text however long it is and whatever its letters: two bytes a token at
// most, and by our best count four of ASCII, and each other character one.
func TestTextIsNeverAMedium(t *testing.T) {
	t.Parallel()
	const frame = int64(len(`{"model":"m","messages":[{"role":"user","content":""}]}`))
	chinese := strings.Repeat("今天天气很好我们去公园散步吧", 7_143) // 100,002 characters, about as many tokens
	escaped := strings.Repeat(`\u4eca`, 1_000)
	for _, test := range []struct {
		name, content string // as in JSON
		most, counted int64
	}{
		{"English", `"` + strings.Repeat("a word ", 10_000) + `"`, 35_000, 17_500},
		{"without a space", `"` + strings.Repeat("the_quick_brown_fox_", 4_000) + `"`, 40_000, 20_000},
		{"Chinese", quoted(chinese), 150_003, 100_002},
		{"Chinese in escapes", `"` + escaped + `"`, 3_000, 1_000},
		{"Cyrillic", `"` + strings.Repeat("я", 1_000) + `"`, 1_000, 1_000},
		{"beyond the first plane", `"` + strings.Repeat("😀", 1_000) + `"`, 2_000, 1_000},
		{"the same in escapes", `"` + strings.Repeat(`\ud83d\ude00`, 1_000) + `"`, 6_000, 1_000},
		{"short escapes", `"` + strings.Repeat(`\n\"`, 1_000) + `"`, 2_000, 1_000},
	} {
		for _, endpoint := range []Endpoint{ChatCompletions, Responses, Messages, Embeddings} {
			got := readInput(t, endpoint, body(test.content))
			if want := frame/2 + 1 + test.most; got.Estimate.InText < want-1 || got.Estimate.InText > want+1 {
				t.Errorf("%s, %s: at most %d tokens, want %d", endpoint, test.name, got.Estimate.InText, want)
			}
			if want := frame/4 + 1 + test.counted; got.Counted.InText < want-1 || got.Counted.InText > want+1 {
				t.Errorf("%s, %s: %d tokens counted, want %d", endpoint, test.name, got.Counted.InText, want)
			}
		}
	}
}

const (
	chatTurn      = `{"model":"m","messages":[{"role":"user","content":[%]}]}`
	responsesTurn = `{"model":"m","input":[{"role":"user","content":[%]}]}`
	toolTurn      = `{"model":"m","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[%]}]}]}`
)

// A picture or a document costs by its size on the screen or its pages, not by the
// bytes of its text, and counts the same in both of our counts.
func TestMediaAreNotText(t *testing.T) {
	t.Parallel()
	const mediumBytes = 110_000
	data := strings.Repeat("iVBORw0KGgo", mediumBytes/11)
	pdf := "JVBERi0x" + data[8:]
	const inBody = mediumTokens + mediumBytes/mediumBytesPerToken
	for _, test := range []struct {
		name     string
		endpoint Endpoint
		turn     string
		part     string
		want     int64
	}{
		{"a picture", ChatCompletions, chatTurn, `{"type":"image_url","image_url":{"url":"data:image/png;base64,` + data + `"}}`, inBody},
		{"its type in escapes", ChatCompletions, chatTurn, `{"type":"image\u005furl","image_url":{"url":"https://example.com/a.png"}}`, mediumTokens},
		{"without a type", ChatCompletions, chatTurn, `{"image_url":{"url":"https://example.com/a.png"}}`, mediumTokens},
		{"names in escapes", ChatCompletions, chatTurn, `{"image\u005furl":{"\u0075rl":"data:image\/png;base64,` + data + `"}}`, inBody},
		{"two elsewhere", ChatCompletions, chatTurn, `{"type":"image_url","image_url":{"url":"https://example.com/a.png"}},{"type":"image_url","image_url":"https://example.com/b.png"}`, 2 * mediumTokens},
		{"a document", ChatCompletions, chatTurn, `{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,` + pdf + `"}}`, inBody},
		{"a picture", Responses, responsesTurn, `{"type":"input_image","image_url":"data:image/png;base64,` + data + `"}`, inBody},
		{"a document", Responses, responsesTurn, `{"type":"input_file","filename":"a.pdf","file_data":"` + pdf + `"}`, inBody},
		{"a document elsewhere", Responses, responsesTurn, `{"type":"input_file","file_url":"https://example.com/a.pdf"}`, mediumTokens},
		{"one that was sent before", Responses, responsesTurn, `{"type":"input_file","file_id":"file_1"}`, mediumTokens},
		{"what a tool saw", Responses, `{"model":"m","input":[{"type":"computer_call_output","call_id":"c","output":%}]}`, `{"type":"computer_screenshot","image_url":"data:image/png;base64,` + data + `"}`, inBody},
		{"what a function answered", Responses, `{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":[%]}]}`, `{"type":"input_image","image_url":"data:image/png;base64,` + data + `"}`, inBody},
		{"a picture", Messages, chatTurn, `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + data + `"}}`, inBody},
		{"the type behind the data", Messages, chatTurn, `{"source":{"data":"` + data + `","media_type":"image/png","type":"base64"},"type":"image"}`, inBody},
		{"a document elsewhere", Messages, chatTurn, `{"type":"document","source":{"type":"url","url":"https://example.com/a.pdf"}}`, mediumTokens},
		{"what a tool saw", Messages, toolTurn, `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + data + `"}}`, inBody},
		{"a picture in a document", Messages, chatTurn, `{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"base64","data":"` + data + `"}}]}}`, mediumTokens + inBody},
	} {
		got := readInput(t, test.endpoint, strings.Replace(test.turn, "%", test.part, 1))
		const around = 150 // tokens of the frame
		for _, tokens := range []int64{got.Estimate.InText, got.Counted.InText} {
			if tokens < test.want || tokens > test.want+around {
				t.Errorf("%s, %s: %d tokens, want %d", test.endpoint, test.name, tokens, test.want)
			}
		}
	}
}

// What stands at another place than a medium, or is none, is text.
func TestWhatLooksLikeAMedium(t *testing.T) {
	t.Parallel()
	const textBytes = 100_000
	data := strings.Repeat("VGV4", textBytes/4)
	for _, test := range []struct {
		name     string
		endpoint Endpoint
		body     string
	}{
		{"the schema of a tool", ChatCompletions, `{"model":"m","tools":[{"type":"function","function":{"name":"f","parameters":{"image_url":{"url":"data:` + data + `"}}}}]}`},
		{"the question", ChatCompletions, body(`"data:` + data + `"`)},
		{"a text part", ChatCompletions, body(`[{"type":"text","text":"data:` + data + `"}]`)},
		{"an address that is long", ChatCompletions, body(`[{"type":"image_url","image_url":{"url":"https://example.com/` + data + `"}}]`)},
		{"another endpoint's place", ChatCompletions, `{"model":"m","input":[{"content":[{"type":"input_file","file_data":"JVBERi` + data + `"}]}]}`},
		{"an instruction", Responses, `{"model":"m","instructions":"` + data + `"}`},
		{"a file of text", Responses, `{"model":"m","input":[{"role":"user","content":[{"type":"input_file","filename":"a.txt","file_data":"data:text/plain;base64,` + data + `"}]}]}`},
		{"the arguments of a function", Responses, `{"model":"m","input":[{"type":"function_call","name":"f","arguments":"` + data + `"}]}`},
		{"a document of text", Messages, body(`[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"` + data + `"}}]`)},
		{"a document that says both", Messages, body(`[{"type":"document","source":{"type":"base64","type":"text","data":"` + data + `"}}]`)},
		{"a document without a type", Messages, body(`[{"type":"document","source":{"data":"` + data + `"}}]`)},
		{"what a tool was called with", Messages, body(`[{"type":"tool_use","id":"t","name":"f","input":{"source":{"type":"base64","data":"` + data + `"}}}]`)},
		{"what is embedded", Embeddings, body(`[{"type":"image_url","image_url":{"url":"data:` + data + `"}}]`)},
	} {
		got := readInput(t, test.endpoint, test.body)
		if got.Estimate.InText < textBytes/2 || got.Counted.InText < textBytes/4 {
			t.Errorf("%s, %s: at most %d tokens, %d counted", test.endpoint, test.name, got.Estimate.InText, got.Counted.InText)
		}
	}
}

// A part that is heard is counted as sound and not as text.
func TestSoundIsNotText(t *testing.T) {
	t.Parallel()
	const soundBytes = 70_000
	sound := strings.Repeat("UklGRiQ", soundBytes/7)
	part := func(kind string) string {
		return `{"type":` + kind + `,"input_audio":{"data":"` + sound + `","format":"wav"}}`
	}
	const heard = 1 + soundBytes/soundBytesPerToken
	for _, test := range []struct {
		name, part string
		sound      int64
		mostText   int64
	}{
		{"a part", part(`"input_audio"`), heard, 100},
		{"with an escape", part(`"input\u005faudi\u006f"`), heard, 100},
		{"without a type", part(`null`), heard, 100},
		{"an escaped member", `{"t\u0079pe" : "input_audio","input_audio":{"data":"UklG"}}`, 1, 100},
		{"a text that says so", `"input_audio"`, 0, 100},
		{"a text that quotes a part", `"{\"type\":\"input_audio\"}"`, 0, 100},
		{"a text that is sound to nobody", `{"type":"text","text":"` + sound + `"}`, 0, soundBytes},
		{"a long text with an escape", `{"type":"` + strings.Repeat(`\u0061`, 2_000) + `"}`, 0, 20_000},
	} {
		for endpoint, turn := range map[Endpoint]string{ChatCompletions: chatTurn, Responses: responsesTurn} {
			got := readInput(t, endpoint, strings.Replace(turn, "%", test.part, 1))
			if got.Estimate.InAudio != test.sound || got.Counted.InAudio != test.sound || got.Estimate.InText > test.mostText {
				t.Errorf("%s, %s: %+v, of which %+v counted; want %d of sound", endpoint, test.name, got.Estimate, got.Counted, test.sound)
			}
		}
	}
}

// Each item that the provider keeps is reserved for, with or without its type.
func TestItemsByReference(t *testing.T) {
	t.Parallel()
	for items, want := range map[string]int64{
		`{"type":"item_reference","id":"msg_1"}`:                                          1,
		`{"type":"item\u005freference","id":"msg_1"},{"id":"msg_2"}`:                      2,
		`{"type":null,"id":"msg_1"}`:                                                      1,
		`{"role":"user","content":"hi"}`:                                                  0,
		`{"role":"user","content":[{"text":"hi"}]}`:                                       0,
		`{"type":"message","type":"item_reference","role":"user","id":"msg_1"}`:           1,
		`{"type":"function_call_output","call_id":"c","output":[{"id":"x"}]},{"id":"rs"}`: 1,
	} {
		got := readInput(t, Responses, `{"model":"m","input":[`+items+`]}`)
		if references := got.Estimate.InText / unseenContextTokens; references != want || got.Counted.InText/unseenContextTokens != want {
			t.Errorf("%s: %d references, want %d", items, references, want)
		}
	}
	if got := readInput(t, ChatCompletions, `{"model":"m","messages":[{"id":"msg_1"}]}`); got.Estimate.InText > 100 {
		t.Errorf("chat/completions keep nothing, and %d tokens are reserved", got.Estimate.InText)
	}
}

func TestAddContext(t *testing.T) {
	t.Parallel()
	got := readInput(t, Responses, `{"model":"m","previous_response_id":"resp_1"}`)
	before := got
	got.AddContext(7)
	if got.Estimate.InText != before.Estimate.InText+7 || got.Counted.InText != before.Counted.InText+7 {
		t.Errorf("from %+v to %+v", before, got)
	}
}

// The largest body is read in a moment, however deep it is.
func TestALargeBodyIsReadFast(t *testing.T) {
	t.Parallel()
	const most = 10 * time.Second // it takes a fraction of one
	started := time.Now()
	for _, large := range []string{
		body(quoted(strings.Repeat("今", 8<<20))),
		`{"model":"m","messages":[` + strings.Repeat(`{"content":[{"type":"text"}]},`, 500_000) + `{}]}`,
		`{"model":"m","messages":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `}`,
	} {
		readInput(t, ChatCompletions, large)
	}
	if took := time.Since(started); took > most {
		t.Errorf("it took %v", took)
	}
}
