package hooks

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

	"sokuji/internal/accounts"
	"sokuji/internal/ledger/sqlitestore"
)

const (
	// sessionClaim names the session in a user's PocketBase token. Without it a
	// token of a user is refused: nobody could see it or end it.
	sessionClaim = "sid"
	// refreshStoreKey marks a request that renews a token.
	refreshStoreKey = "sokuji.refresh"
)

// bindPocketBaseSessions gives every token that PocketBase hands out to a user a
// session: password, OTP, OAuth2 and impersonation open one, a refresh moves it.
func bindPocketBaseSessions(app core.App, s *server) {
	s.sessions.Observe(accounts.Observer{
		Dropped: func(userID string) {
			if err := s.silenceEnded(context.Background(), userID); err != nil {
				app.Logger().Error("Realtime clients of ended sessions could not be found", slog.Any("error", err))
			}
		},
		Failed: func(err error) {
			app.Logger().Warn("The last use of sessions could not be written", slog.Any("error", err))
		},
	})
	app.OnRecordAuthRefreshRequest(usersCollection).BindFunc(func(e *core.RecordAuthRefreshRequestEvent) error {
		e.Set(refreshStoreKey, true)
		return e.Next()
	})
	app.OnRecordAuthRequest(usersCollection).Bind(early(s.keepSession))
	app.OnRecordAfterUpdateSuccess(usersCollection).BindFunc(func(e *core.RecordEvent) error {
		if err := s.sessions.DeleteOutdated(context.WithoutCancel(e.Context), e.Record.Id, e.Record.TokenKey()); err != nil {
			app.Logger().Warn("Ended sessions could not be removed", slog.Any("error", err))
		}
		return e.Next()
	})
}

// keepSession stores the session of a token before the answer with it leaves the
// server, and only if there is such an answer: the first step of a sign-in with a
// second factor has none. What cannot be stored is not answered.
func (s *server) keepSession(e *core.RecordAuthRequestEvent) error {
	store, err := s.nameSession(e)
	if err != nil {
		return err
	}
	if store == nil {
		return e.Next()
	}
	if e.App.IsTransactional() { // storing would wait for the connection that it holds
		return e.InternalServerError("", errors.New("a sign-in cannot be answered inside a transaction"))
	}
	response := e.Response
	held := &heldAnswer{header: response.Header()}
	err = answerInto(e, held)
	if err == nil && held.status == http.StatusOK {
		if err := store(e.Request.Context()); err != nil {
			return err
		}
	}
	return errors.Join(err, held.release(response))
}

// answerInto goes on with another place for the answer.
func answerInto(e *core.RecordAuthRequestEvent, held *heldAnswer) error {
	response := e.Response
	defer func() { e.Response = response }()
	e.Response = held
	return e.Next()
}

// nameSession puts the name of a session into the event's token, and returns what
// stores it. It returns nil for a token that keeps what it has: an impersonation's,
// which a refresh answers as it is, or one of the Better Auth road.
func (s *server) nameSession(e *core.RecordAuthRequestEvent) (store func(context.Context) error, err error) {
	facts, ok := readToken(e.Token)
	if !ok || facts.sessionID != "" {
		return nil, nil
	}
	c := callerOf(e.RequestEvent)
	refresh, _ := e.Get(refreshStoreKey).(bool)
	if refresh && c.session.Kind != accounts.PocketBase {
		// PocketBase renews for whoever is signed in, without a look at whose token came
		// along: a cookie and anybody's token would do.
		return nil, e.UnauthorizedError("", nil)
	}
	if refresh {
		e.Token, err = nameInToken(e.Record, e.Token, c.session.ID)
		return s.renewSession(e, c.session.ID, facts.expires), err
	}
	id, err := s.sessions.NewID()
	if err != nil {
		return nil, err
	}
	kind := accounts.PocketBase
	if !facts.refreshable {
		kind = accounts.Impersonation
	}
	owner := accounts.Owner{ID: e.Record.Id, TokenKey: e.Record.TokenKey()}
	client := accounts.Client{IPAddress: clientAddress(e.RequestEvent), UserAgent: e.Request.UserAgent()}
	e.Token, err = nameInToken(e.Record, e.Token, id)
	return func(ctx context.Context) error {
		if err := s.sessions.Open(ctx, id, kind, owner, client, facts.expires); err != nil {
			return notStored(e, "The session could not be stored: try again.", err)
		}
		return nil
	}, err
}

func (s *server) renewSession(e *core.RecordAuthRequestEvent, sessionID string, expires time.Time) func(context.Context) error {
	return func(ctx context.Context) error {
		renewed, err := s.sessions.Renew(ctx, e.Record.Id, sessionID, expires)
		if err != nil {
			return notStored(e, "The session could not be renewed: try again.", err)
		}
		if !renewed { // it ended while we were talking
			return e.UnauthorizedError("", nil)
		}
		return nil
	}
}

// notStored tells a disk that takes nothing just now, which is 503 on every road,
// from a failure of the server's own.
func notStored(e *core.RecordAuthRequestEvent, message string, err error) error {
	if sqlitestore.CannotWrite(err) {
		return refusalOf(err)
	}
	return e.InternalServerError(message, err)
}

// tokenFacts are the claims of a PocketBase token that sessions need.
type tokenFacts struct {
	expires     time.Time
	sessionID   string // empty: it names none
	refreshable bool
}

// readToken reads a token whose signature was checked, or that was just made. A
// token that does not end, or has ended, is none.
func readToken(token string) (tokenFacts, bool) {
	claims, err := security.ParseUnverifiedJWT(token)
	if err != nil {
		return tokenFacts{}, false
	}
	expires, err := claims.GetExpirationTime()
	if err != nil || expires == nil {
		return tokenFacts{}, false
	}
	facts := tokenFacts{expires: expires.Time}
	facts.sessionID, _ = claims[sessionClaim].(string)
	facts.refreshable, _ = claims[core.TokenClaimRefreshable].(bool)
	return facts, true
}

// tokenExpiry is when a token ends; one that is none has ended.
func tokenExpiry(token string) time.Time {
	facts, _ := readToken(token)
	return facts.expires
}

// nameInToken returns the token with the name of its session in it, signed by the
// same key.
func nameInToken(record *core.Record, token, sessionID string) (string, error) {
	claims, err := security.ParseUnverifiedJWT(token)
	if err != nil {
		return "", err
	}
	claims[sessionClaim] = sessionID
	return security.NewJWT(claims, signingKey(record), 0) // its expiry is among the claims
}
