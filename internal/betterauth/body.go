package betterauth

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxBodyLength bounds a request body in bytes. The longest well-formed sign-up
// stays far below it.
const MaxBodyLength = 64 << 10

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// The names by which validation messages call JSON's types.
const (
	typeArray     = "array"
	typeBoolean   = "boolean"
	typeNull      = "null"
	typeNumber    = "number"
	typeObject    = "object"
	typeString    = "string"
	typeUndefined = "undefined"
)

// value is one field of a body: its type and, for text, its content. Booleans are
// kept as the text "true" or "false".
type value struct {
	typeName string
	text     string
	fromForm bool
}

// body is the part of a request body that the reader asked for. A field that was
// not sent is the zero value.
type body map[string]value

// readBody reads the known fields out of a body and ignores all others. allowed
// lists the content types that this route takes, in the order in which an error
// names them. A known field that comes twice is refused, because two readers of
// one body would not agree on which one counts.
//
// Errors: ErrPayloadTooLarge, UnsupportedMediaType, ErrInvalidText,
// ErrInvalidJSON, ErrInvalidForm, or a ValidationError.
func readBody(contentType string, content []byte, allowed, known []string) (body, error) {
	if len(content) > MaxBodyLength {
		return nil, ErrPayloadTooLarge
	}
	if len(content) == 0 && contentType == "" {
		return nil, notObject(typeUndefined)
	}
	mediaType, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	mediaType = strings.TrimSpace(mediaType)
	if !slices.Contains(allowed, mediaType) {
		return nil, UnsupportedMediaType(contentType, allowed...)
	}
	if mediaType == formType {
		return readForm(content, known)
	}
	return readJSON(content, known)
}

func notObject(typeName string) Error {
	return ValidationError("[body] Invalid input: expected object, received " + typeName)
}

func duplicateField(name string) Error {
	return ValidationError("[body." + name + "] Invalid input: field sent more than once")
}

func readForm(content []byte, known []string) (body, error) {
	values, err := url.ParseQuery(string(content))
	if err != nil {
		return nil, ErrInvalidForm
	}
	fields := body{}
	for _, name := range known {
		sent := values[name]
		if len(sent) == 0 {
			continue
		}
		if len(sent) > 1 {
			return nil, duplicateField(name)
		}
		if !utf8.ValidString(sent[0]) {
			return nil, ErrInvalidText
		}
		fields[name] = value{typeName: typeString, text: sent[0], fromForm: true}
	}
	return fields, nil
}

// readJSON walks over the object's keys itself. Decoding into a struct would take
// "Email" for "email", and let the last of two equal keys win silently.
func readJSON(content []byte, known []string) (body, error) {
	if !utf8.Valid(content) {
		return nil, ErrInvalidText
	}
	if !json.Valid(content) {
		return nil, ErrInvalidJSON
	}
	if typeName := typeOfJSON(content); typeName != typeObject {
		return nil, notObject(typeName)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	if _, err := decoder.Token(); err != nil {
		return nil, ErrInvalidJSON
	}
	fields := body{}
	for decoder.More() {
		if err := readMember(decoder, known, fields); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

// readMember reads one key and its value, and keeps it when the key is known.
func readMember(decoder *json.Decoder, known []string, fields body) error {
	key, err := decoder.Token()
	if err != nil {
		return ErrInvalidJSON
	}
	var raw json.RawMessage
	if err := decoder.Decode(&raw); err != nil {
		return ErrInvalidJSON
	}
	name, isString := key.(string)
	if !isString || !slices.Contains(known, name) {
		return nil
	}
	if _, sent := fields[name]; sent {
		return duplicateField(name)
	}
	fields[name], err = valueOfJSON(raw)
	return err
}

func valueOfJSON(raw json.RawMessage) (value, error) {
	typeName := typeOfJSON(raw)
	if typeName != typeString {
		return value{typeName: typeName, text: string(raw)}, nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return value{}, ErrInvalidJSON
	}
	return value{typeName: typeString, text: text}, nil
}

// typeOfJSON names the type of a valid JSON text by its first character.
func typeOfJSON(valid []byte) string {
	switch bytes.TrimLeft(valid, " \t\r\n")[0] {
	case '"':
		return typeString
	case '{':
		return typeObject
	case '[':
		return typeArray
	case 't', 'f':
		return typeBoolean
	case 'n':
		return typeNull
	}
	return typeNumber
}
