package metering

import (
	"bytes"
	"encoding/json"
	"slices"

	"sokuji/internal/pricing"
)

// inputOf is what a request's body, which must be JSON, puts into the model: at
// most, and by our best count.
func inputOf(endpoint Endpoint, body []byte) (most, counted pricing.Usage) {
	reader := inputReader{body: body, places: places[endpoint]}
	reader.read()
	seen := reader.seen
	media := seen.media*mediumTokens + seen.mediaBytes/mediumBytesPerToken + seen.references*unseenContextTokens
	most.InText = seen.text.bytes/inputBytesPerToken + 1 + media
	counted.InText = min(seen.text.tokens()+1+media, most.InText)
	most.InAudio = seen.sounds + seen.soundBytes/soundBytesPerToken
	counted.InAudio = most.InAudio
	return most, counted
}

// inputSeen is what was found in a body.
type inputSeen struct {
	text       textSize // all that is neither medium nor sound, names and brackets included
	media      int64
	mediaBytes int64
	sounds     int64
	soundBytes int64
	references int64 // to items that the provider keeps
}

// inputReader walks once through a body. It keeps nothing of it.
type inputReader struct {
	body   []byte
	at     int
	places map[place]map[string]place
	open   []level // the objects and lists around at
	seen   inputSeen
}

// level is an object or a list that is open.
type level struct {
	place  place
	isList bool

	// Of an object: whether the value comes, of which member, and its place.
	isValue, isType, isRole bool
	next                    place

	kinds            kind // what its types say, and its places
	hasType, hasRole bool
	data             textSize // of a source, which is text or a medium as its type says
}

func (r *inputReader) read() {
	for r.at < len(r.body) {
		letter := r.body[r.at]
		if letter == '"' {
			r.readString()
			continue
		}
		r.at++
		r.seen.text.add(textSize{bytes: 1})
		switch letter {
		case '{', '[':
			r.open = append(r.open, level{place: r.placeOfValue(), isList: letter == '['})
		case '}', ']':
			r.close()
		case ':', ',':
			if top := r.top(); top != nil {
				top.isValue = letter == ':'
			}
		}
	}
}

func (r *inputReader) top() *level {
	if len(r.open) == 0 {
		return nil
	}
	return &r.open[len(r.open)-1]
}

// placeOfValue is the place of the value that begins here. A list's values are at
// the place of the list.
func (r *inputReader) placeOfValue() place {
	top := r.top()
	switch {
	case top == nil:
		return atTop
	case top.isList:
		return top.place
	}
	return top.next
}

func (r *inputReader) readString() {
	size, end := sizeOfString(r.body[r.at+1:])
	text := r.body[r.at+1 : r.at+1+end]
	r.at = min(r.at+1+end+1, len(r.body))
	r.seen.text.add(textSize{bytes: 2}) // the quotes
	top := r.top()
	if top != nil && !top.isList && !top.isValue {
		name := word(text)
		top.isType, top.isRole = string(name) == "type", string(name) == "role"
		top.next = r.places[top.place][string(name)]
		r.seen.text.add(size)
		return
	}
	if top != nil && !top.isList {
		top.note(text)
	}
	if !r.isElsewhere(r.placeOfValue(), text, size) {
		r.seen.text.add(size)
	}
}

// isElsewhere takes the string of a place that is no text. What stands there and is
// read as text all the same is left to the caller.
func (r *inputReader) isElsewhere(at place, text []byte, size textSize) bool {
	top := r.top()
	switch at {
	case atAddress:
		top.kinds |= isMedium
		if !bytes.HasPrefix(text, dataURL) {
			return false
		}
		r.seen.mediaBytes += size.bytes
	case atFileData:
		top.kinds |= isMedium
		if !isPDF(text) {
			return false
		}
		r.seen.mediaBytes += size.bytes
	case atSoundData:
		top.kinds |= isSound
		r.seen.soundBytes += size.bytes
	case atSourceData:
		top.data.add(size)
	default:
		return false
	}
	return true
}

// note keeps of a member's value what tells the kind of its object.
func (l *level) note(text []byte) {
	switch {
	case l.isRole:
		l.hasRole = true
	case l.isType:
		l.hasType = true
		l.kinds |= kindOf(word(text))
	}
}

func (r *inputReader) close() {
	if len(r.open) == 0 {
		return
	}
	closed := *r.top()
	r.open = r.open[:len(r.open)-1]
	r.takeSource(&closed)
	if outer := r.top(); outer != nil && closed.place.isInsidePart() {
		outer.kinds |= closed.kinds & (isMedium | isSound)
		return
	}
	r.seen.media += one(closed.kinds&isMedium != 0)
	r.seen.sounds += one(closed.kinds&isSound != 0)
	r.seen.references += one(closed.isReference())
}

// takeSource counts the data of a source as text, unless all that is said of it is
// that it is base64.
func (r *inputReader) takeSource(closed *level) {
	switch {
	case closed.data.bytes == 0:
	case closed.kinds == isBase64:
		r.seen.mediaBytes += closed.data.bytes
		closed.kinds |= isMedium
	default:
		r.seen.text.add(closed.data)
	}
}

// isReference tells whether an item only names what the provider keeps. Its type may
// be left out, and everything else has a type or a role.
func (l *level) isReference() bool {
	if l.place != atItems || l.isList {
		return false
	}
	return l.kinds&isReference != 0 || !l.hasType && !l.hasRole
}

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

const (
	// maxEscapedBytes is how long one letter can be written: \u0061.
	maxEscapedBytes = 6
	// maxWordBytes is the longest of the names and types that matter here.
	maxWordBytes = 32
)

// word is a name or a type as it is meant: its letters can be written in several
// ways.
func word(text []byte) []byte {
	if len(text) > maxEscapedBytes*maxWordBytes {
		return nil // none of those that matter
	}
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	var decoded string
	if json.Unmarshal(slices.Concat([]byte(`"`), text, []byte(`"`)), &decoded) != nil {
		return text
	}
	return []byte(decoded)
}
