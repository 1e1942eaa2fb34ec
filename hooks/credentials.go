package hooks

import (
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"sokuji/internal/apikeys"
	"sokuji/internal/betterauth"
)

// credentials turns what a request carries into one caller. The first valid
// credential in api.md's order wins. It takes the place of PocketBase's middleware
// for tokens, which would let the token of an ended session in.
func (s *server) credentials() *hook.Handler[*core.RequestEvent] {
	return &hook.Handler[*core.RequestEvent]{
		Id:       apis.DefaultLoadAuthTokenMiddlewareId,
		Priority: apis.DefaultLoadAuthTokenMiddlewarePriority - 1,
		Func: func(e *core.RequestEvent) error {
			c, err := s.identify(e)
			if err != nil {
				return err
			}
			e.Set(callerStoreKey, c)
			if err := s.admitKey(e, c); err != nil {
				return err
			}
			if err := s.limitUser(c, e.Request.URL.Path); err != nil {
				return err
			}
			return e.Next()
		},
	}
}

// keyMayEnter keeps keys off PocketBase's own API; our routes check scopes.
func keyMayEnter(path string) bool {
	if !strings.HasPrefix(path, "/api/") {
		return true
	}
	for _, prefix := range []string{"/api/wallet/", "/api/user/", "/api/auth/", "/api/health"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// limitUser is the abuse limit of /api for signed-in users and keys.
func (s *server) limitUser(c caller, path string) error {
	if (c.kind != user && c.kind != apiKey) || !hasAbuseLimit(path) {
		return nil
	}
	if decision := s.userLimit.Allow(c.userID, time.Now()); !decision.Allowed {
		return rateLimited(decision.Seconds())
	}
	return nil
}

// hasAbuseLimit tells the paths that no plan limits: of /v1, the lists of models.
func hasAbuseLimit(path string) bool {
	return strings.HasPrefix(path, "/api/") || path == "/v1/models" || strings.HasPrefix(path, "/v1/models/")
}

func (s *server) identify(e *core.RequestEvent) (caller, error) {
	value := authorizationValue(e.Request)
	if c, ok, err := s.callerByPocketBaseToken(e, value); ok || err != nil {
		return c, err
	}
	if token, ok := betterauth.ParseBearer(s.secrets, value); ok {
		c, ok, err := s.callerBySession(e, token, false)
		if ok || err != nil {
			return c, err
		}
	}
	for _, text := range []string{value, e.Request.Header.Get("x-api-key")} {
		if c, ok := s.callerByKey(text); ok {
			return c, nil
		}
	}
	return s.callerByCookie(e)
}

// authorizationValue is the header without its scheme; like PocketBase, it takes
// a bare token too.
func authorizationValue(r *http.Request) string {
	value := strings.TrimSpace(r.Header.Get("Authorization"))
	const scheme = "bearer "
	if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		return strings.TrimSpace(value[len(scheme):])
	}
	return value
}

// callerByPocketBaseToken accepts tokens of superusers, and of users whose session
// is alive. Tokens of any other auth collection are PocketBase's own business.
func (s *server) callerByPocketBaseToken(e *core.RequestEvent, token string) (caller, bool, error) {
	if strings.Count(token, ".") != 2 { // not a JWT
		return caller{}, false, nil
	}
	record, key, ok := s.verifyAuthToken(token)
	if !ok {
		return caller{}, false, nil
	}
	c := caller{}
	switch record.Collection().Name {
	case core.CollectionNameSuperusers:
		c = caller{kind: superuser, userID: record.Id}
	case usersCollection:
		session, found, err := s.sessions.FindByKey(e.Request.Context(), key)
		if err != nil || !found || session.UserID != record.Id {
			return caller{}, false, err
		}
		s.sessions.Used(session)
		c = caller{kind: user, userID: record.Id, session: session, sessionToken: token}
	}
	e.Auth = record
	return c, true, nil
}

func (s *server) callerBySession(e *core.RequestEvent, token string, viaCookie bool) (caller, bool, error) {
	ctx := e.Request.Context()
	session, found, err := s.sessions.Find(ctx, token)
	if err != nil || !found {
		return caller{}, false, err
	}
	record, err := s.authRecord(recordKey{usersCollection, session.UserID})
	if err != nil {
		return caller{}, false, err
	}
	session, moved, err := s.sessions.Slide(ctx, session)
	if err != nil {
		return caller{}, false, err
	}
	s.sessions.Used(session)
	if moved && viaCookie {
		s.setSessionCookie(e, token, session)
	}
	e.Auth = record
	return caller{
		kind: user, userID: session.UserID, session: session, sessionToken: token, viaCookie: viaCookie,
	}, true, nil
}

func (s *server) callerByKey(text string) (caller, bool) {
	if !apikeys.LooksLike(text) {
		return caller{}, false
	}
	key, err := apikeys.Parse(text)
	if err != nil {
		return caller{}, false
	}
	grant, ok := s.keys.checker.Check(key, time.Now())
	if !ok {
		return caller{}, false
	}
	return caller{kind: apiKey, userID: grant.UserID, grant: grant}, true
}

// callerByCookie checks where an unsafe request comes from before the cookie may
// speak for its user: cookies are sent by browsers, whoever asks them to.
func (s *server) callerByCookie(e *core.RequestEvent) (caller, error) {
	token, _, ok := betterauth.FromCookies(s.secrets, e.Request, s.secure(e))
	if !ok {
		return caller{}, nil
	}
	c, ok, err := s.callerBySession(e, token, true)
	if err != nil || !ok {
		return caller{}, err
	}
	if err := betterauth.CheckOrigin(e.Request, s.ownOrigin(e), s.origins); err != nil {
		e.Auth = nil
		return caller{}, originRefusal(err)
	}
	return c, nil
}

// originRefusal keeps Better Auth's error for its own routes and says the same
// on all others.
func originRefusal(err error) error {
	return &refusal{
		status: http.StatusForbidden, code: "forbidden", title: "Forbidden",
		message: "This origin may not use a session cookie here: list it in FRONTEND_URL, or send the token in the Authorization header.",
		cause:   err,
	}
}

// secure tells whether the client reaches us by https, and so which cookie name
// and attributes hold.
func (s *server) secure(e *core.RequestEvent) bool {
	return e.IsTLS() || strings.HasPrefix(s.public, "https://")
}

// ownOrigin is the origin that a page served from here would have.
func (s *server) ownOrigin(e *core.RequestEvent) string {
	if e.IsTLS() {
		return "https://" + e.Request.Host
	}
	return "http://" + e.Request.Host
}
