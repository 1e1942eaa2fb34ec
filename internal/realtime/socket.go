package realtime

import (
	"context"
	"errors"
	"time"

	"github.com/coder/websocket"
)

// Socket is one end of the relay. A cancelled read or write closes it.
type Socket interface {
	Read(ctx context.Context) (websocket.MessageType, []byte, error)
	Write(ctx context.Context, kind websocket.MessageType, message []byte) error
	Ping(ctx context.Context) error
	Close(code websocket.StatusCode, reason string) error
	CloseNow() error
}

var _ Socket = (*websocket.Conn)(nil)

// errClientGone ends a session with nobody left to tell.
var errClientGone = errors.New("the client closed the session, or its connection broke")

// providerGone ends a session because the provider's socket did.
type providerGone struct {
	code  websocket.StatusCode // -1: the connection broke
	cause error
}

func newProviderGone(err error) *providerGone {
	return &providerGone{code: websocket.CloseStatus(err), cause: err}
}

func (g *providerGone) Error() string { return "the provider closed the session: " + g.cause.Error() }
func (g *providerGone) Unwrap() error { return g.cause }

// refusal passes on that the provider ended the session as it should; what it says
// about other endings may be about our account, and stays here.
func (g *providerGone) refusal() *Refusal {
	switch g.code {
	case websocket.StatusNormalClosure, websocket.StatusGoingAway:
		return nil
	}
	return errProvider
}

func writeWithin(ctx context.Context, socket Socket, kind websocket.MessageType, message []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return socket.Write(ctx, kind, message)
}

// closeWithin says goodbye, and waits for the answer no longer than closeTimeout.
func closeWithin(socket Socket, code websocket.StatusCode, reason string) {
	impatient := time.AfterFunc(closeTimeout, func() { socket.CloseNow() })
	defer impatient.Stop()
	socket.Close(code, reason)
	socket.CloseNow()
}
