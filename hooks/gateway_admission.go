package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/metering"
)

// callAsk is what a call wants to be admitted for.
type callAsk struct {
	endpoint  metering.Endpoint
	model     string
	feature   string // the feature that the price demands, or ""
	estimated int64  // input and output tokens of the model, for tokens per minute
	session   bool   // it occupies a concurrent session until done (streams and sockets)
}

// admission is a call that was let in.
type admission struct{}

func (s *server) admitCall(*core.RequestEvent, caller, callAsk) (*admission, error) {
	return &admission{}, nil
}

// done gives back what the call occupied. It may be called twice.
func (a *admission) done(int64) {}
