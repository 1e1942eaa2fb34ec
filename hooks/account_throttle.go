package hooks

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/limits"
)

// bindAccountThrottle counts sign-ins and sign-ups by PocketBase's road. It hooks
// the events and not the paths: a collection answers to its name and its id, and
// a batch creates users too.
func bindAccountThrottle(app core.App, s *server) {
	app.OnRecordAuthWithPasswordRequest(usersCollection).BindFunc(func(e *core.RecordAuthWithPasswordRequestEvent) error {
		if err := throttle(s.signInLimit, "auth-with-password", e.RealIP()); err != nil {
			return err
		}
		return e.Next()
	})
	app.OnRecordAuthWithPasswordRequest(core.CollectionNameSuperusers).BindFunc(func(e *core.RecordAuthWithPasswordRequestEvent) error {
		if err := throttle(s.superuserLimit, "superuser", e.RealIP()); err != nil {
			return err
		}
		return e.Next()
	})
	app.OnRecordCreateRequest(usersCollection).BindFunc(func(e *core.RecordRequestEvent) error {
		if e.HasSuperuserAuth() {
			return e.Next()
		}
		if err := throttle(s.signInLimit, "create-user", e.RealIP()); err != nil {
			return err
		}
		return e.Next()
	})
}

func throttle(window *limits.Window, route, address string) error {
	if decision := window.Allow(route+" "+address, time.Now()); !decision.Allowed {
		return rateLimited(decision.Seconds())
	}
	return nil
}
