package hooks

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

const (
	// drainTimeout is how long running requests may take to finish at shutdown.
	drainTimeout = 20 * time.Second
	// beforePocketBase runs our drain ahead of PocketBase's, which cancels every
	// request at once.
	beforePocketBase = -10_000
)

// bindShutdown lets requests in flight finish, then the ledger, before
// PocketBase closes its connections.
func bindShutdown(se *core.ServeEvent, s *server) {
	requests, cancel := context.WithCancel(context.Background())
	se.Server.BaseContext = func(net.Listener) context.Context { return requests }
	se.Server.RegisterOnShutdown(func() {
		// Realtime connections never end by themselves.
		for id := range s.app.SubscriptionsBroker().Clients() {
			s.app.SubscriptionsBroker().Unregister(id)
		}
	})
	s.app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{
		Id:       "sokujiDrain",
		Priority: beforePocketBase,
		Func: func(te *core.TerminateEvent) error {
			s.draining.Store(true)
			ctx, stop := context.WithTimeout(context.Background(), drainTimeout)
			defer stop()
			cut := time.AfterFunc(streamDrainTime, func() { s.gateway.cut(errDraining) })
			defer cut.Stop()
			if err := se.Server.Shutdown(ctx); err != nil {
				s.app.Logger().Warn("Some requests did not finish before the shutdown", slog.Any("error", err))
			}
			s.gateway.drain()
			cancel()
			if err := s.close(); err != nil {
				s.app.Logger().Error("The ledger did not close cleanly", slog.Any("error", err))
			}
			return te.Next()
		},
	})
}
