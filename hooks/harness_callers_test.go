package hooks

import (
	"crypto/rand"
	"database/sql"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/pocketbase/pocketbase/tools/types"

	"sokuji/internal/accounts"
	"sokuji/internal/apikeys"
	"sokuji/internal/betterauth"
)

// credential puts on a request what says who calls.
type credential func(*http.Request)

func nobody(*http.Request) {}

func bearer(token string) credential {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func xAPIKey(key string) credential {
	return func(r *http.Request) { r.Header.Set("x-api-key", key) }
}

// cookie sends a signed session token as a browser does; origin is empty for a
// client that says none.
func cookie(signed, origin string) credential {
	return func(r *http.Request) {
		r.Header.Set("Cookie", betterauth.SessionTokenCookie+"="+url.QueryEscape(signed))
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
	}
}

// token signs a record in by PocketBase's road, without asking the server.
func (h *house) token(record *core.Record) credential {
	h.t.Helper()
	return bearer(h.tokenText(record))
}

// tokenText is the token itself. A user's names a session, which all tokens of
// that user share for as long as it is alive.
func (h *house) tokenText(record *core.Record) string {
	h.t.Helper()
	token, err := record.NewAuthToken()
	if err == nil && record.Collection().Name == usersCollection {
		token, err = nameInToken(record, token, h.tokenSession(record))
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

// harnessSession begins the ids of sessions that the tests make for their callers.
// Tests that compare rows before and after do not see them.
const harnessSession = "harness-"

func (h *house) tokenSession(record *core.Record) string {
	h.t.Helper()
	id := harnessSession + security.SHA256(record.Id + record.TokenKey())[:20]
	if h.count("sessions", "id = {:id} AND expires_at > {:now}", "id", id, "now", types.NowDateTime().String()) > 0 {
		return id
	}
	if _, err := h.app.NonconcurrentDB().NewQuery(`DELETE FROM sessions WHERE id = {:id}`).Bind(dbx.Params{"id": id}).Execute(); err != nil {
		h.t.Fatal(err)
	}
	sessions := accounts.NewSessions(h.pool(h.app.NonconcurrentDB()), h.pool(h.app.ConcurrentDB()), time.Now)
	owner := accounts.Owner{ID: record.Id, TokenKey: record.TokenKey()}
	err := sessions.Open(h.t.Context(), id, accounts.PocketBase, owner, accounts.Client{}, time.Now().Add(time.Hour))
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

func (h *house) pool(builder dbx.Builder) *sql.DB {
	h.t.Helper()
	pool, err := sqlPool(builder)
	if err != nil {
		h.t.Fatal(err)
	}
	return pool
}

func (h *house) asRoot() credential  { h.t.Helper(); return h.token(h.root) }
func (h *house) asAlice() credential { h.t.Helper(); return h.token(h.alice) }
func (h *house) asBob() credential   { h.t.Helper(); return h.token(h.bob) }

// session is a session of the Better Auth road.
type session struct{ raw, signed string }

func (h *house) signIn(email, password string) session {
	h.t.Helper()
	answer := h.do("POST", "/api/auth/sign-in/email", nobody, object("email", email, "password", password)).want(200)
	return session{raw: answer.text("token"), signed: answer.header.Get("set-auth-token")}
}

func (h *house) aliceSession() session { h.t.Helper(); return h.signIn(aliceEmail, testPassword) }

// defaultKey returns alice's default key; her wallet must not be empty.
func (h *house) defaultKey() string {
	h.t.Helper()
	return h.do("GET", "/api/user/api-key", h.asAlice(), "").want(200).text("apiKey")
}

// key makes a named key of alice's, more of them than her plan allows.
func (h *house) key(scopes ...apikeys.Scope) string {
	h.t.Helper()
	key, _ := h.keyWith(map[string]any{"scopes": scopes})
	return key
}

// keyRecord makes one and returns its row.
func (h *house) keyRecord() *core.Record {
	h.t.Helper()
	_, record := h.keyWith(map[string]any{"scopes": []apikeys.Scope{apikeys.ScopeGateway}})
	return record
}

// keyWith makes one with some columns set.
func (h *house) keyWith(columns map[string]any) (string, *core.Record) {
	h.t.Helper()
	key, err := apikeys.Generate(rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	values := map[string]any{"user": h.alice.Id, "name": "test", "prefix": key.Prefix(), "key_hash": key.Hash().String()}
	maps.Copy(values, columns)
	return key.Reveal(), h.save(keysCollection, values)
}

func (h *house) save(collection string, values map[string]any) *core.Record {
	h.t.Helper()
	found, err := h.app.FindCollectionByNameOrId(collection)
	if err != nil {
		h.t.Fatal(err)
	}
	record := core.NewRecord(found)
	record.Load(values)
	if err := h.app.Save(record); err != nil {
		h.t.Fatal(err)
	}
	return record
}

// mint gives a user tokens and returns the id of the ledger entry.
func (h *house) mint(user *core.Record, amount int64) string {
	h.t.Helper()
	return h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", user.Id, "amount", amount)).
		want(200).text("ledgerEntry.id")
}

// use charges a user and returns the id of the ledger entry.
func (h *house) use(user *core.Record, amount int64) string {
	h.t.Helper()
	return h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", user.Id, "amount", amount)).
		want(200).text("ledgerEntry.id")
}

// hold reserves tokens of a user for a minute and returns the id of the hold.
func (h *house) hold(user *core.Record, amount int64) string {
	h.t.Helper()
	return h.do("POST", "/api/wallet/holds", h.asRoot(), object("userId", user.Id, "amount", amount, "expiresInSeconds", 60)).
		want(201).text("hold.id")
}

func (h *house) balance(user *core.Record) int64 {
	h.t.Helper()
	return h.do("GET", "/api/wallet/balance?userId="+user.Id, h.asRoot(), "").want(200).number("balance")
}

// combined sends several credentials at once.
func combined(credentials []credential) credential {
	return func(r *http.Request) {
		for _, add := range credentials {
			add(r)
		}
	}
}

func sign(value string) string { return betterauth.Sign([]byte(testSecret), value) }
