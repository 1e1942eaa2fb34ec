package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxMembers bounds the members of a request's object: none of the APIs has as
// many parameters.
const maxMembers = 256

// Body is a JSON object whose members can be replaced without touching a byte of
// the others.
type Body struct {
	text    []byte
	members []member
}

// member is one name of the object and where its value stands.
type member struct {
	name       string
	start, end int // of the value
}

// Errors of ParseBody.
var (
	ErrNotAnObject    = errors.New("the body must be one JSON object")
	ErrTooManyMembers = fmt.Errorf("the body has more than %d members", maxMembers)
)

// RepeatedMemberError says that a body names a member twice. Which of the two
// counts differs from reader to reader, so what is priced might not be what is
// asked of the provider.
type RepeatedMemberError struct{ Name string }

// Error names the member.
func (e *RepeatedMemberError) Error() string {
	return fmt.Sprintf("the body names %q twice: name it once, in one spelling", e.Name)
}

// ParseBody reads the outline of an object. Names that differ only in upper and
// lower case count as one name given twice.
func ParseBody(text []byte) (*Body, error) {
	if !json.Valid(text) {
		return nil, ErrNotAnObject
	}
	body := &Body{text: text}
	// The text is valid, so no check of syntax is needed from here on.
	at := skipSpace(text, 0)
	if text[at] != '{' {
		return nil, ErrNotAnObject
	}
	seen := make(map[string]bool)
	for at = skipSpace(text, at+1); text[at] != '}'; at = skipSpace(text, at) {
		if text[at] == ',' {
			at = skipSpace(text, at+1)
		}
		nameEnd := skipString(text, at)
		name, err := unquote(text[at:nameEnd])
		if err != nil {
			return nil, err
		}
		start := skipSpace(text, skipSpace(text, nameEnd)+1) // behind the colon
		at = skipValue(text, start)
		if seen[folded(name)] {
			return nil, &RepeatedMemberError{name}
		}
		seen[folded(name)] = true
		if body.members = append(body.members, member{name, start, at}); len(body.members) > maxMembers {
			return nil, ErrTooManyMembers
		}
	}
	return body, nil
}

// folded is what all spellings of a name have in common. By way of the upper case,
// because to Go's decoder the long s (ſ) is an s, too.
func folded(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// Names lists the members in their order.
func (b *Body) Names() []string {
	names := make([]string, len(b.members))
	for i, m := range b.members {
		names[i] = m.name
	}
	return names
}

// Text is the whole object.
func (b *Body) Text() []byte { return b.text }

// Get is the text of a member's value, nil where there is none.
func (b *Body) Get(name string) []byte {
	i := b.index(name)
	if i < 0 {
		return nil
	}
	return b.text[b.members[i].start:b.members[i].end]
}

// With returns the object with a member set to a value, which must be JSON.
func (b *Body) With(name string, value []byte) *Body {
	i := b.index(name)
	if i >= 0 {
		return b.replaced(i, value)
	}
	close := bytes.LastIndexByte(b.text, '}')
	quoted, _ := json.Marshal(name) // a string always encodes
	addition := append(append(quoted, ':'), value...)
	if len(b.members) > 0 {
		addition = append([]byte{','}, addition...)
	}
	end := close + len(addition)
	return &Body{
		text:    slices.Concat(b.text[:close], addition, b.text[close:]),
		members: append(slices.Clone(b.members), member{name, end - len(value), end}),
	}
}

func (b *Body) replaced(i int, value []byte) *Body {
	old := b.members[i]
	if bytes.Equal(b.text[old.start:old.end], value) {
		return b
	}
	changed := &Body{
		text:    slices.Concat(b.text[:old.start], value, b.text[old.end:]),
		members: slices.Clone(b.members),
	}
	moved := len(value) - (old.end - old.start)
	changed.members[i].end += moved
	for j := i + 1; j < len(changed.members); j++ {
		changed.members[j].start += moved
		changed.members[j].end += moved
	}
	return changed
}

func (b *Body) index(name string) int {
	return slices.IndexFunc(b.members, func(m member) bool { return m.name == name })
}

func unquote(quoted []byte) (string, error) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1]), nil
	}
	var name string
	err := json.Unmarshal(quoted, &name)
	return name, err
}

func skipSpace(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r') {
		at++
	}
	return at
}

// skipString returns the place behind a string that begins at a place.
func skipString(text []byte, at int) int {
	for at++; text[at] != '"'; at++ {
		if text[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// skipValue returns the place behind a value that begins at a place.
func skipValue(text []byte, at int) int {
	depth := 0
	for {
		switch text[at] {
		case '"':
			at = skipString(text, at)
		case '{', '[':
			depth++
			at++
		case '}', ']':
			depth--
			at++
		default:
			at++
		}
		if depth == 0 && endsValue(text, at) {
			return at
		}
	}
}

// endsValue tells whether a value that began outside of all brackets is over.
func endsValue(text []byte, at int) bool {
	switch text[at] {
	case ',', '}', ']', ' ', '\t', '\n', '\r':
		return true
	}
	return false
}
