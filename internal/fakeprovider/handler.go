package fakeprovider

import (
	"net/http"
	"sync"
)

// provider is one fake provider: what it does for the time being, and what it saw.
type provider struct {
	mutex    sync.Mutex
	switches Switches
	calls    []*Call
	count    int
}

// Handler is a provider of its own, with all routes. Under /v1 it is OpenAI's and
// Anthropic's address, under /openai that of Azure.
func Handler() http.Handler {
	p := &provider{switches: noSwitches()}
	routes := http.NewServeMux()
	for path, serve := range map[string]answerer{
		"chat/completions":     p.chat,
		"responses":            p.responses,
		"embeddings":           p.embeddings,
		"audio/transcriptions": p.transcriptions,
		"audio/speech":         p.speech,
		"images/generations":   p.images,
	} {
		for _, base := range []string{"/v1/", "/openai/v1/", "/openai/", "/openai/deployments/{deployment}/"} {
			routes.HandleFunc("POST "+base+path, p.recorded(openAIErrors, serve))
		}
	}
	routes.HandleFunc("POST /v1/messages", p.recorded(anthropicErrors, p.messages))
	routes.HandleFunc("GET /v1/models", p.models)
	for _, base := range []string{"/v1/realtime", "/openai/v1/realtime", "/openai/realtime"} {
		routes.HandleFunc("GET "+base, p.realtime)
		routes.HandleFunc("GET "+base+"/translations", p.realtime)
	}

	routes.HandleFunc("GET /fake/calls", p.showCalls)
	routes.HandleFunc("DELETE /fake/calls", p.forgetCalls)
	routes.HandleFunc("POST /fake/switches", p.setSwitches)
	routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		openAIErrors.write(w, http.StatusNotFound, "Invalid URL ("+r.Method+" "+r.URL.Path+")", "")
	})
	return routes
}

// answerer answers a request that was read and found to be in order so far.
type answerer func(c *call)

// call is one request on its way to its answer.
type call struct {
	w        http.ResponseWriter
	r        *http.Request
	ask      *ask
	switches Switches
	dialect  dialect
}

// recorded reads a request, keeps a record of it, and lets its route answer.
func (p *provider) recorded(d dialect, serve answerer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(w, r)
		if err != nil {
			d.write(w, http.StatusRequestEntityTooLarge, err.Error(), "")
			return
		}
		record := p.record(r, body)
		defer func() { p.ended(record, r.Context().Err() != nil) }()
		asked, err := readAsk(r, body)
		if err != nil {
			d.write(w, http.StatusBadRequest, err.Error(), "")
			return
		}
		switches, err := p.switchesOf(r, asked)
		if err != nil {
			d.write(w, http.StatusBadRequest, err.Error(), "user")
			return
		}
		c := &call{w: w, r: r, ask: asked, switches: switches, dialect: d}
		if c.begin() {
			serve(c)
		}
	}
}

// begin does what comes before any output. It returns false if that was all.
func (c *call) begin() bool {
	if !c.pause(c.switches.Wait) {
		return false
	}
	c.w.Header().Set("X-Request-Id", "req_fake")
	if c.switches.Close {
		c.w.Header().Set("Connection", "close")
	}
	if c.switches.Status != 0 {
		c.refuse()
		return false
	}
	if message, field := c.ask.wrong(); message != "" {
		c.dialect.write(c.w, http.StatusBadRequest, message, field)
		return false
	}
	if c.switches.Hang == 0 {
		<-c.r.Context().Done()
		return false
	}
	return true
}
