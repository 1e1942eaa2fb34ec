package hooks

import (
	"context"
	"slices"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
)

// realtimeSessionKey is where a realtime client keeps the id of the session that
// it subscribed with.
const realtimeSessionKey = "sokuji.session"

// bindRealtimeSessions ties a realtime connection to the session that opened it:
// PocketBase asks who is calling only when the client subscribes.
func bindRealtimeSessions(app core.App) {
	app.OnRealtimeSubscribeRequest().BindFunc(func(e *core.RealtimeSubscribeRequestEvent) error {
		e.Client.Set(realtimeSessionKey, callerOf(e.RequestEvent).session.ID)
		return e.Next()
	})
}

// silenceEnded makes guests of a user's realtime clients whose session is over.
// They stay connected, hear nothing of the user's, and may sign in again.
func (s *server) silenceEnded(ctx context.Context, userID string) error {
	alive, err := s.sessions.List(context.WithoutCancel(ctx), userID)
	if err != nil {
		return err
	}
	for _, client := range s.app.SubscriptionsBroker().Clients() {
		record, _ := client.Get(apis.RealtimeClientAuthKey).(*core.Record)
		sessionID, _ := client.Get(realtimeSessionKey).(string)
		if record == nil || record.Id != userID || sessionID == "" {
			continue
		}
		if !slices.ContainsFunc(alive, func(session accounts.Session) bool { return session.ID == sessionID }) {
			client.Unset(apis.RealtimeClientAuthKey)
		}
	}
	return nil
}
