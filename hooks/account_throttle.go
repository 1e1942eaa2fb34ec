package hooks

import (
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"sokuji/internal/limits"
)

// bindAccountThrottle counts sign-ins and sign-ups by PocketBase's road. It hooks
// the events and not the paths: a collection answers to its name and its id, and
// a batch creates users too. It comes before all else that looks at a password,
// some of which answers by itself.
func bindAccountThrottle(app core.App, s *server) {
	app.OnRecordAuthWithPasswordRequest(usersCollection).Bind(early(func(e *core.RecordAuthWithPasswordRequestEvent) error {
		return throttled(s.signInLimit, "auth-with-password", clientAddress(e.RequestEvent), e.Next)
	}))
	app.OnRecordRequestOTPRequest(usersCollection).Bind(early(func(e *core.RecordCreateOTPRequestEvent) error {
		return throttled(s.signInLimit, "request-otp", clientAddress(e.RequestEvent), e.Next)
	}))
	app.OnRecordAuthWithOTPRequest(usersCollection).Bind(early(func(e *core.RecordAuthWithOTPRequestEvent) error {
		return throttled(s.signInLimit, "auth-with-otp", clientAddress(e.RequestEvent), e.Next)
	}))
	app.OnRecordAuthWithOAuth2Request(usersCollection).Bind(early(func(e *core.RecordAuthWithOAuth2RequestEvent) error {
		return throttled(s.signInLimit, "auth-with-oauth2", clientAddress(e.RequestEvent), e.Next)
	}))
	app.OnRecordCreateRequest(usersCollection).Bind(early(func(e *core.RecordRequestEvent) error {
		if e.HasSuperuserAuth() {
			return e.Next()
		}
		return throttled(s.signInLimit, "create-user", clientAddress(e.RequestEvent), e.Next)
	}))
	app.OnRecordAuthWithPasswordRequest(core.CollectionNameSuperusers).Bind(early(func(e *core.RecordAuthWithPasswordRequestEvent) error {
		return throttled(s.superuserLimit, "superuser", clientAddress(e.RequestEvent), e.Next)
	}))
}

// early makes a handler that runs before those without a priority.
func early[E hook.Resolver](handle func(E) error) *hook.Handler[E] {
	return &hook.Handler[E]{Func: handle, Priority: -1}
}

// throttled goes on to next unless the address has been here too often.
func throttled(window *limits.Window, route, address string, next func() error) error {
	if err := throttle(window, route, address); err != nil {
		return err
	}
	return next()
}

func throttle(window *limits.Window, route, address string) error {
	if decision := window.Allow(route+" "+address, time.Now()); !decision.Allowed {
		return rateLimited(decision.Seconds())
	}
	return nil
}
