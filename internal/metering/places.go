package metering

import "bytes"

// place is what a value of a request's body is to the provider.
type place int

const (
	elsewhere    place = iota // text, whatever it looks like
	atTop                     // the body
	atTurns                   // the messages
	atItems                   // the input of responses: messages, and more
	atParts                   // the content of one
	atAddress                 // of a picture or a file, or all of it as a data: URL
	atFile                    // what a part of chat/completions has of a file
	atFileData                // a file in base64
	atSound                   // what a part has of sound
	atSoundData               // sound in base64
	atSource                  // what a part of messages has of a picture or document
	atSourceData              // text or base64, as its type says
)

// places says where the value of which name stands, seen from its object. Only what
// is reached by these steps is no text: the schema of a tool, or what a tool was
// called with, may have the same names and is read as text.
var places = map[Endpoint]map[place]map[string]place{
	ChatCompletions: {
		atTop:     {"messages": atTurns},
		atTurns:   {"content": atParts},
		atParts:   {"image_url": atAddress, "file": atFile, "input_audio": atSound},
		atAddress: {"url": atAddress},
		atFile:    {"file_data": atFileData},
		atSound:   {"data": atSoundData},
	},
	Responses: {
		atTop:   {"input": atItems},
		atItems: {"content": atParts, "output": atParts},
		atParts: {"image_url": atAddress, "file_url": atAddress, "file_data": atFileData, "input_audio": atSound},
		atSound: {"data": atSoundData},
	},
	Messages: {
		atTop:    {"messages": atTurns},
		atTurns:  {"content": atParts},
		atParts:  {"content": atParts, "source": atSource}, // content: what a tool answered
		atSource: {"content": atParts, "data": atSourceData},
	},
}

// isInsidePart tells the places that belong to one part, and are counted with it.
func (p place) isInsidePart() bool { return p >= atAddress }

// kind is what an object of a body is, as its type says.
type kind int

const (
	isMedium    kind = 1 << iota // a part that is a picture or document
	isSound                      // a part that is heard
	isReference                  // an item that names what the provider keeps
	isBase64                     // a source that is no text
	isOther
)

var kinds = map[string]kind{
	"image_url": isMedium, "input_image": isMedium, "computer_screenshot": isMedium,
	"image": isMedium, "document": isMedium, "file": isMedium, "input_file": isMedium,
	"input_audio": isSound, "item_reference": isReference, "base64": isBase64,
}

func kindOf(name []byte) kind {
	if known, ok := kinds[string(name)]; ok {
		return known
	}
	return isOther
}

var (
	dataURL   = []byte("data:")
	pdfBase64 = []byte("JVBERi") // %PDF
)

// maxDataURLHead is how long a data: URL goes on before its data, in bytes.
const maxDataURLHead = 200

// isPDF tells the files that are read by their pages. The text of every other file
// is read as it is.
func isPDF(file []byte) bool {
	if _, data, found := bytes.Cut(file[:min(len(file), maxDataURLHead)], []byte(",")); found {
		file = data
	}
	return bytes.HasPrefix(file, pdfBase64)
}
