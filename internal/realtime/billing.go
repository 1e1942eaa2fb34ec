package realtime

import "context"

// Billing decides what a session's messages cost. Its methods may be called by
// both directions at the same time. An error ends the session, unless it is a
// Refusal that keeps it open.
type Billing interface {
	// Open reserves what the session may cause first. Without it nobody is called.
	Open(ctx context.Context) error
	// FromClient is asked before a message is passed to the provider, and returns it as
	// the provider is to read it.
	FromClient(ctx context.Context, message []byte) ([]byte, error)
	// FromServer is told of a message before it is passed to the client; with an
	// error the message is passed on all the same, as the last one.
	FromServer(ctx context.Context, message []byte) error
	// Running lists the responses that have no price yet.
	Running() []string
	// IsOwed tells whether the provider still has to say what something costs: a
	// response that runs, or a transcription.
	IsOwed() bool
	// Close charges what was counted and gives back what is reserved.
	Close(ctx context.Context) error
}
