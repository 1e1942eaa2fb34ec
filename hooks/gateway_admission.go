package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
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
type admission struct {
	caller caller
}

func (s *server) admitCall(_ *core.RequestEvent, c caller, _ callAsk) (*admission, error) {
	return &admission{caller: c}, nil
}

// done gives back what the call occupied. It may be called twice.
func (a *admission) done(int64) {}

// spender is the key that pays, as ledger.Request takes it.
func (a *admission) spender() ledger.Spender {
	return ledger.Spender{KeyID: a.caller.grant.ID}
}
