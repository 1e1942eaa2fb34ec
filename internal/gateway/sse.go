package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxEventBytes bounds one event of a stream, in bytes: an image as text is the
// largest that providers send.
const maxEventBytes = 16 << 20

// ErrEventTooLarge says that a provider sent an event beyond maxEventBytes.
var ErrEventTooLarge = fmt.Errorf("an event of the stream has more than %d bytes", maxEventBytes)

// Event is one event of a stream, as it came.
type Event struct {
	Raw  []byte // with the empty line that ends it
	Name string // of its event field, empty where there is none
	Data []byte // of its data fields, joined by line feeds; nil where there is none
}

// EventReader takes a stream of server-sent events apart. It holds one event at a
// time, and gives each as soon as its last line is there.
type EventReader struct {
	lines *bufio.Reader
	raw   []byte
	data  []byte
}

// NewEventReader reads the events of an answer's body.
func NewEventReader(body io.Reader) *EventReader {
	return &EventReader{lines: bufio.NewReaderSize(body, copyBufferBytes)}
}

// Next returns the next event, which is good until the next call. At the end of
// the stream it is io.EOF; an event that the stream ends in the middle of is given
// if its last line is whole, as providers leave the last empty line out, and is
// dropped otherwise.
func (r *EventReader) Next() (Event, error) {
	r.raw, r.data = r.raw[:0], r.data[:0]
	event, hasData := Event{}, false
	for {
		start := len(r.raw)
		if err := r.readLine(); err != nil {
			if errors.Is(err, io.EOF) && hasData && start == len(r.raw) {
				r.raw = append(r.raw, '\n')
				return r.finish(event, hasData), nil
			}
			return Event{}, err
		}
		line := bytes.TrimRight(r.raw[start:], "\r\n")
		if len(line) == 0 {
			if start == 0 {
				r.raw = r.raw[:0] // an empty line between events is nobody's
				continue
			}
			return r.finish(event, hasData), nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "event":
			event.Name = string(value)
		case "data":
			if hasData {
				r.data = append(r.data, '\n')
			}
			r.data, hasData = append(r.data, value...), true
		}
	}
}

func (r *EventReader) finish(event Event, hasData bool) Event {
	event.Raw = r.raw
	if hasData {
		event.Data = r.data
	}
	return event
}

// readLine appends the next line, with its end, to raw.
func (r *EventReader) readLine() error {
	for {
		piece, err := r.lines.ReadSlice('\n')
		if len(r.raw)+len(piece) > maxEventBytes {
			return ErrEventTooLarge
		}
		r.raw = append(r.raw, piece...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// AppendEvent writes an event in the form that every client reads.
func AppendEvent(to []byte, name string, data []byte) []byte {
	if name != "" {
		to = append(append(append(to, "event: "...), name...), '\n')
	}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		to = append(append(append(to, "data: "...), line...), '\n')
	}
	return append(to, '\n')
}
