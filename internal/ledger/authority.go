package ledger

import "strings"

// Authority is in whose name an operation asks. The zero value may do least, so
// that whoever forgets to say it is refused and not trusted.
type Authority int

const (
	// AsClient asks for a program with an API key: what it says that it used is its
	// own word.
	AsClient Authority = iota
	// AsGateway asks for the metered gateway, which counted what was used itself. Only
	// the gateway's own code says so.
	AsGateway
	// AsSuperuser asks for an operator.
	AsSuperuser
)

// GatewayReference begins the reference of every hold of the gateway, and the
// idempotency keys of its settlements. Clients make no holds of that name and close
// none, and settle under no such key.
const GatewayReference = "gateway:"

// isGateways tells whether the hold is what a call of the gateway will be paid from.
func (h HoldRow) isGateways() bool { return strings.HasPrefix(h.Reference, GatewayReference) }

// mayTouch refuses a client the gateway's holds, in its own wallet too: whoever
// closes one makes the call free.
func (h HoldRow) mayTouch(a Authority) error {
	if h.isGateways() && a == AsClient {
		return &Error{
			Code: CodeForbidden, Field: "id",
			Message: "This hold is the gateway's own and closes with its call: it is not extended, settled or released by an API key.",
		}
	}
	return nil
}
