package gateway

import (
	"sync"
	"time"
)

const (
	// failuresToRest is how many calls in a row must fail before a provider rests.
	failuresToRest = 3
	// firstRest is how long a provider rests at first; each failed trial after it
	// doubles the time, up to longestRest.
	firstRest   = 10 * time.Second
	longestRest = 5 * time.Minute
	// maxRested bounds the memory for providers, which admins make and delete.
	maxRested = 1_000
)

// Health remembers which providers fail. A provider that rests is tried last, not
// never: a bad provider is better than none. It is safe for concurrent use.
type Health struct {
	now func() time.Time

	mutex  sync.Mutex
	states map[string]*healthState
}

type healthState struct {
	failures int // in a row
	until    time.Time
	rest     time.Duration
}

// NewHealth returns a memory in which every provider is well.
func NewHealth(now func() time.Time) *Health {
	return &Health{now: now, states: make(map[string]*healthState)}
}

// Succeeded notes an answer of a provider.
func (h *Health) Succeeded(provider string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	delete(h.states, provider)
}

// Failed notes that a provider did not answer, or said that it could not.
func (h *Health) Failed(provider string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	state := h.states[provider]
	if state == nil {
		if len(h.states) >= maxRested {
			clear(h.states)
		}
		state = &healthState{}
		h.states[provider] = state
	}
	state.failures++
	if state.failures < failuresToRest {
		return
	}
	state.rest = min(max(2*state.rest, firstRest), longestRest)
	state.until = h.now().Add(state.rest)
}

// Rests tells whether a provider failed too often too lately.
func (h *Health) Rests(provider string) bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	state := h.states[provider]
	return state != nil && h.now().Before(state.until)
}
