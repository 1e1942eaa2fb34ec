package realtime

import (
	"context"

	"sokuji/internal/pricing"
)

// Wallet pays for a session. Its errors are a *Refusal where the client may know
// why. Models are named as the client names them; "" is the session's own.
type Wallet interface {
	// MaySpend tells whether whoever opened the session may still spend: a key may
	// be revoked meanwhile.
	MaySpend(ctx context.Context) error
	// Rates is what a model's units cost, or why it cannot be charged for.
	Rates(model string) (pricing.Rates, error)
	// Hold reserves what a usage would cost, before anything causes it.
	Hold(ctx context.Context, model string, estimate pricing.Usage) (Hold, error)
}

// Hold is a reservation, and the right to record one cost: settling succeeds
// whatever became of the wallet meanwhile, beyond the reserved amount too.
type Hold interface {
	// Covers tells whether the reservation is enough for a usage.
	Covers(usage pricing.Usage) bool
	// Extend adds what a further usage would cost.
	Extend(ctx context.Context, by pricing.Usage) error
	// Settle charges, and returns when the charge is on disk.
	Settle(ctx context.Context, bill Bill) error
	// Release gives the reservation back; nothing is charged.
	Release(ctx context.Context) error
}

// Bill is one cost.
type Bill struct {
	Key        string // names it once within the session
	Model      string // whose price holds
	Event      string // the event that told of it, empty where none did
	ResponseID string
	Usage      pricing.Usage
	SettledBy  string
	Anomalies  []string
}

// How the usage of a bill is known.
const (
	ByProvider = "provider" // the provider reported it
	ByEstimate = "estimate" // we counted it, the provider reports none
	ByPartial  = "partial"  // we counted it until it was cut
)
