package fakeprovider

import (
	"fmt"
	"io"
	"net/http"
	"slices"
)

const (
	// maxBodyBytes bounds a request's body.
	maxBodyBytes = 64 << 20
	// maxKeptBodyBytes bounds what is remembered of it.
	maxKeptBodyBytes = 256 << 10
	// maxKeptCalls bounds how many requests are remembered.
	maxKeptCalls = 100
)

// Call is what reached the provider.
type Call struct {
	Method     string      `json:"method"`
	Path       string      `json:"path"` // with its query
	Headers    http.Header `json:"headers"`
	Body       string      `json:"body"`
	Connection string      `json:"connection"` // the same text for calls of one connection
	Ended      bool        `json:"ended"`
	Left       bool        `json:"left"` // the caller went away before the end
}

// Calls is what GET /fake/calls answers.
type Calls struct {
	Count int    `json:"count"` // of all, also of those that are forgotten
	Calls []Call `json:"calls"` // the latest, oldest first
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil {
		return nil, fmt.Errorf("the body could not be read: %w", err)
	}
	return body, nil
}

// record remembers a request, and forgets the oldest of too many.
func (p *provider) record(r *http.Request, body []byte) *Call {
	call := &Call{
		Method: r.Method, Path: r.URL.RequestURI(), Headers: r.Header.Clone(), Connection: r.RemoteAddr,
		Body: string(body[:min(len(body), maxKeptBodyBytes)]),
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.count++
	p.calls = append(p.calls, call)
	if len(p.calls) > maxKeptCalls {
		p.calls = slices.Delete(p.calls, 0, 1)
	}
	return call
}

func (p *provider) ended(call *Call, left bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	call.Ended, call.Left = true, left
}

func (p *provider) showCalls(w http.ResponseWriter, _ *http.Request) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	shown := Calls{Count: p.count, Calls: make([]Call, len(p.calls))}
	for i, call := range p.calls {
		shown.Calls[i] = *call
	}
	writeJSON(w, http.StatusOK, shown)
}

func (p *provider) forgetCalls(w http.ResponseWriter, _ *http.Request) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.count, p.calls = 0, nil
	w.WriteHeader(http.StatusNoContent)
}

// setSwitches takes the text form as the body; an empty one turns all off.
func (p *provider) setSwitches(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r)
	if err != nil {
		openAIErrors.write(w, http.StatusRequestEntityTooLarge, err.Error(), "")
		return
	}
	switches, err := ParseSwitches(string(body))
	if err != nil {
		openAIErrors.write(w, http.StatusBadRequest, err.Error(), "")
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.switches = switches
	w.WriteHeader(http.StatusNoContent)
}

// standing takes the switches that hold for every call, and counts their times.
func (p *provider) standing() Switches {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	switches := p.switches
	if p.switches.Times == 1 {
		p.switches = noSwitches()
	} else if p.switches.Times > 1 {
		p.switches.Times--
	}
	return switches
}
