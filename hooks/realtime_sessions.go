package hooks

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"sokuji/internal/accounts"
)

// realtimeSessionKey is where a realtime client keeps the session that it
// subscribed with, as it was then.
const realtimeSessionKey = "sokuji.session"

// bindRealtimeSessions ties a realtime connection to the session that opened it:
// PocketBase asks who is calling only when the client subscribes.
func bindRealtimeSessions(app core.App, s *server) {
	app.OnRealtimeSubscribeRequest().BindFunc(func(e *core.RealtimeSubscribeRequestEvent) error {
		session := callerOf(e.RequestEvent).session
		e.Client.Set(realtimeSessionKey, session)
		if err := e.Next(); err != nil || session.ID == "" {
			return err
		}
		// It may have ended after the request was admitted and before it was noted.
		return s.silence(e.Request.Context(), session.UserID, []subscriptions.Client{e.Client})
	})
	app.Cron().MustAdd("sokujiRealtimeSessions", "* * * * *", func() {
		if err := s.silenceExpired(context.Background(), time.Now()); err != nil {
			app.Logger().Error("Realtime clients of expired sessions could not be found", slog.Any("error", err))
		}
	})
}

// silenceEnded makes guests of a user's realtime clients whose session is over.
// They stay connected, hear nothing of the user's, and may sign in again.
func (s *server) silenceEnded(ctx context.Context, userID string) error {
	clients := slices.Collect(maps.Values(s.app.SubscriptionsBroker().Clients()))
	return s.silence(ctx, userID, clients)
}

func (s *server) silence(ctx context.Context, userID string, clients []subscriptions.Client) error {
	alive, err := s.sessions.List(context.WithoutCancel(ctx), userID)
	if err != nil {
		return err
	}
	for _, client := range clients {
		session := sessionOfClient(client)
		if session.ID == "" || session.UserID != userID {
			continue
		}
		i := slices.IndexFunc(alive, func(other accounts.Session) bool { return other.ID == session.ID })
		if i < 0 {
			client.Unset(apis.RealtimeClientAuthKey)
			continue
		}
		client.Set(realtimeSessionKey, alive[i])
	}
	return nil
}

// silenceExpired looks at the clients whose session, as they knew it, has expired.
// It may have moved on since.
func (s *server) silenceExpired(ctx context.Context, now time.Time) error {
	return s.silenceWhere(ctx, func(session accounts.Session) bool { return !now.Before(session.ExpiresAt) })
}

// silenceAllEnded looks at the clients of all users.
func (s *server) silenceAllEnded(ctx context.Context) error {
	return s.silenceWhere(ctx, func(accounts.Session) bool { return true })
}

// silenceWhere makes guests of the clients of every user of whom a client's session
// may be over.
func (s *server) silenceWhere(ctx context.Context, mayBeOver func(accounts.Session) bool) error {
	due := make(map[string]struct{})
	for _, client := range s.app.SubscriptionsBroker().Clients() {
		if session := sessionOfClient(client); session.ID != "" && mayBeOver(session) {
			due[session.UserID] = struct{}{}
		}
	}
	var failed error
	for userID := range due {
		failed = errors.Join(failed, s.silenceEnded(ctx, userID))
	}
	return failed
}

// sessionOfClient is the session that a client listens with; the zero session for
// guests, superusers, and those that fell silent.
func sessionOfClient(client subscriptions.Client) accounts.Session {
	record, _ := client.Get(apis.RealtimeClientAuthKey).(*core.Record)
	session, _ := client.Get(realtimeSessionKey).(accounts.Session)
	if record == nil || record.Id != session.UserID {
		return accounts.Session{}
	}
	return session
}
