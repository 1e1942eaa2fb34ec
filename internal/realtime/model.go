package realtime

import (
	"encoding/json"
	"slices"

	"sokuji/internal/gateway"
)

// Model is the model of a session.
type Model struct {
	// Names are the client's for it; the first is the one it connected with.
	Names []string
	// OwnName is the provider's for it, once one has taken the session.
	OwnName func() string
}

// check refuses a change of the session to another model, and gives the session's
// own the name that the provider knows.
func (m Model) check(event clientEvent) (message []byte, err error) {
	message = event.body.Text()
	named, err := event.text("session", "model")
	if err != nil || named == "" {
		return message, err
	}
	own := m.OwnName()
	if named == own {
		return message, nil
	}
	if !slices.Contains(m.Names, named) {
		return nil, event.invalid([]string{"session", "model"}, "cannot change within a session: connect again with the other model")
	}
	session, err := gateway.ParseBody(event.body.Get("session"))
	if err != nil {
		return nil, err // text has read it before
	}
	quoted, err := json.Marshal(own)
	if err != nil {
		return nil, err
	}
	return event.body.With("session", session.With("model", quoted).Text()).Text(), nil
}
