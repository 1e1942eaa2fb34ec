package hooks

import (
	"context"
	"log/slog"

	"github.com/pocketbase/pocketbase/core"
)

// expiredSessionsPerStep bounds how long one clean-up step holds the write
// connection; expiredSessionSteps bounds a run.
const (
	expiredSessionsPerStep = 500
	expiredSessionSteps    = 200
)

// bindSessionCleanup removes rows of sessions that ended by themselves, hourly.
func bindSessionCleanup(app core.App, s *server) {
	app.Cron().MustAdd("sokujiSessionCleanup", "7 * * * *", func() {
		for range expiredSessionSteps {
			deleted, err := s.sessions.DeleteExpired(context.Background(), expiredSessionsPerStep)
			if err != nil {
				app.Logger().Warn("Expired sessions could not be removed", slog.Any("error", err))
				return
			}
			if deleted < expiredSessionsPerStep {
				return
			}
		}
	})
}
