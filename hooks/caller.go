package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts"
	"sokuji/internal/apikeys"
)

// callerKind says by what right a request is made.
type callerKind int

const (
	guest callerKind = iota
	user
	superuser
	apiKey
)

// caller is who makes a request. Every route asks it and nothing else.
type caller struct {
	kind   callerKind
	userID string // of a user, or of the user a key belongs to; a superuser's own id

	session      accounts.Session // set for a user, by whichever road
	sessionToken string           // what the client sent: a session token, or a PocketBase token
	viaCookie    bool

	grant apikeys.Grant // set for a key
}

const callerStoreKey = "sokuji.caller"

// callerOf returns who makes the request.
func callerOf(e *core.RequestEvent) caller {
	c, _ := e.Get(callerStoreKey).(caller)
	return c
}

// actor names the caller in the audit log.
func (c caller) actor() string {
	switch c.kind {
	case superuser:
		return "superuser:" + c.userID
	case apiKey:
		return "key:" + c.grant.ID
	case user:
		return "user:" + c.userID
	}
	return "guest"
}

// requireUser admits a signed-in user, whichever way they signed in, but no key.
func requireUser(e *core.RequestEvent) (caller, error) {
	c := callerOf(e)
	switch c.kind {
	case user:
		return c, nil
	case apiKey:
		return c, forbidden("An API key does not open this route: sign in.")
	case superuser:
		return c, forbidden("This route is about the signed-in user; a superuser has no profile and no wallet.")
	}
	return c, unauthorized()
}

// requireSuperuser admits superusers only.
func requireSuperuser(e *core.RequestEvent) (caller, error) {
	c := callerOf(e)
	switch c.kind {
	case superuser:
		return c, nil
	case guest:
		return c, unauthorized()
	}
	return c, forbidden("Only a superuser may do this.")
}
