package fakeprovider

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// object is a JSON object, whose names are sent in alphabetical order.
type object = map[string]any

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // who asked may be gone, and nobody else cares
}

// pause waits. It returns false if the caller left meanwhile.
func (c *call) pause(d time.Duration) bool {
	if d <= 0 {
		return c.r.Context().Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.r.Context().Done():
		return false
	}
}

// json sends a whole answer.
func (c *call) json(value any) {
	body, err := json.Marshal(value)
	if err != nil {
		c.dialect.write(c.w, http.StatusInternalServerError, err.Error(), "")
		return
	}
	c.whole("application/json", body)
}

// whole sends an answer that is not streamed. A cut one ends in its middle.
func (c *call) whole(contentType string, body []byte) {
	if !c.pause(c.switches.Slow) {
		return
	}
	if c.switches.Fail != off {
		c.dialect.write(c.w, http.StatusInternalServerError, failure, "")
		return
	}
	c.w.Header().Set("Content-Type", contentType)
	if c.switches.Gzip {
		c.w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(c.w)
		_, _ = packed.Write(body)
		_ = packed.Close()
		return
	}
	c.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if c.switches.Cut == off && c.switches.Hang == off {
		_, _ = c.w.Write(body)
		return
	}
	_, _ = c.w.Write(body[:len(body)/2])
	_ = http.NewResponseController(c.w).Flush()
	if c.switches.Hang != off {
		<-c.r.Context().Done()
	}
	panic(http.ErrAbortHandler) // net/http ends the connection at once
}

// failure is what a provider says that fails after output.
const failure = "The server had an error while processing your request. Sorry about that!"

// stream sends an answer as server-sent events.
type stream struct {
	*call
	to     io.Writer
	packed *gzip.Writer
	pieces int
	named  bool // events carry the type of their data as name
	failed func() object
}

// newStream begins to send. failed makes the event of an error in the middle.
func (c *call) newStream(named bool, failed func() object) *stream {
	s := &stream{call: c, to: c.w, named: named, failed: failed}
	c.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	c.w.Header().Set("Cache-Control", "no-cache")
	if c.switches.Gzip {
		c.w.Header().Set("Content-Encoding", "gzip")
		s.packed = gzip.NewWriter(c.w)
		s.to = s.packed
	}
	return s
}

// event sends one event. A caller who left is noticed at the next piece.
func (s *stream) event(data object) {
	body, err := json.Marshal(data)
	if err != nil {
		panic(err) // all that is sent was made here
	}
	name, _ := data["type"].(string)
	if s.named && name != "" {
		_, _ = io.WriteString(s.to, "event: "+name+"\n")
	}
	s.raw("data: " + string(body) + "\n\n")
}

func (s *stream) raw(text string) {
	_, _ = io.WriteString(s.to, text)
	if s.packed != nil {
		_ = s.packed.Flush()
	}
	_ = http.NewResponseController(s.w).Flush()
}

// piece sends an event that carries output, unless the switches want the stream to
// end before it: then it returns false, and nothing may follow.
func (s *stream) piece(data object) bool {
	if !s.next() {
		return false
	}
	s.event(data)
	return true
}

// next tells whether one more piece of output is to be sent.
func (s *stream) next() bool {
	switch s.pieces {
	case s.switches.Cut:
		panic(http.ErrAbortHandler)
	case s.switches.Hang:
		<-s.r.Context().Done()
		return false
	case s.switches.Fail:
		s.event(s.failed())
		s.close()
		return false
	}
	s.pieces++
	return s.pause(s.switches.Slow)
}

// ending tells whether the stream goes on to its end after all pieces. A switch that
// names a later piece than there are takes effect now.
func (s *stream) ending() bool {
	reached := false
	for _, position := range []*int{&s.switches.Cut, &s.switches.Hang, &s.switches.Fail} {
		if *position >= s.pieces {
			*position, reached = s.pieces, true
		}
	}
	return !reached || s.next()
}

func (s *stream) close() {
	if s.packed != nil {
		_ = s.packed.Close()
	}
}
