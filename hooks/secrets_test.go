package hooks

import (
	"context"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/logger"

	"sokuji/internal/apikeys"
)

// keepLogs turns the request log on, down to the least level.
func (h *house) keepLogs() {
	h.t.Helper()
	settings := h.app.Settings()
	settings.Logs.MaxDays, settings.Logs.MinLevel, settings.Logs.LogAuthId, settings.Logs.LogIP = 5, -4, true, true
	if err := h.app.Save(settings); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) flushLogs() {
	h.t.Helper()
	handler, ok := h.app.Logger().Handler().(*logger.BatchHandler)
	if !ok {
		h.t.Fatal("PocketBase's log handler is another one")
	}
	if err := handler.WriteAll(context.Background()); err != nil {
		h.t.Fatal(err)
	}
}

// tables lists every table of a database file.
func (h *house) tables(database dbx.Builder) []string {
	h.t.Helper()
	var names []string
	err := database.Select("name").From("sqlite_master").Where(dbx.HashExp{"type": "table"}).Column(&names)
	if err != nil {
		h.t.Fatal(err)
	}
	return names
}

// Secrets go through every route, in every place that carries one, and through
// the errors of each. None comes to rest anywhere, and no error repeats one.
func TestNoSecretComesToRest(t *testing.T) {
	h := newHouse(t)
	h.keepLogs()
	h.mint(h.alice, 1000)
	long := strings.Repeat("canary long password ", 5)
	h.do("POST", "/api/auth/sign-up/email", nobody, object("name", "New", "email", "new@example.com", "password", long)).want(200)
	s := h.aliceSession()
	token := h.tokenText(h.alice)
	rootToken, err := h.root.NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	key, named := h.defaultKey(), h.key(apikeys.ScopeWalletCharge)
	canaries := map[string]string{
		"the password": testPassword, "the long password": long, "the superuser's password": rootPassword,
		"the raw session": s.raw, "the signature of the session": s.signed[strings.LastIndex(s.signed, ".")+1:],
		"the default key": key, "a named key": named, "the secret": testSecret,
		"the token": token, "the superuser's token": rootToken, "a mistyped password": "canary mistyped password",
	}
	credentials := []credential{
		nobody, bearer(token), bearer(rootToken), bearer(s.raw), bearer(s.signed), bearer(key), xAPIKey(key), bearer(named),
		bearer(s.raw + "x"), bearer(token + "x"), xAPIKey(key + "x"), bearer(key[:len(key)-1] + "0"),
		cookie(s.signed, foreignOrigin), cookie(s.signed, ""), cookie(s.signed+"x", trustedOrigin),
	}
	// Every field that a route reads, with a secret of a type or in a place that it
	// refuses: what is put into an error is put there by this.
	everything := make(map[string]any)
	for i, field := range []string{"email", "identity", "password", "passwordConfirm", "token", "rememberMe", "oldPassword", "amountCents"} {
		everything[field] = []any{testPassword, rootPassword, s.raw, key, token, long, testPassword, key}[i]
	}
	everything["amount"], everything["userId"], everything["limit"] = s.raw, h.bob.Id, key
	bodies := []string{
		object(pairs(everything)...),
		object("email", aliceEmail, "identity", aliceEmail, "name", "x", "password", "canary mistyped password"),
		object("password", []string{testPassword}, "amount", []string{key}, "token", []string{s.raw}),
		`{"password":"` + testPassword + `","amount":` + key,
	}
	// What ends a credential is left out: the rest must be tried with a living one.
	ends := []string{"/sign-out", "/revoke-sessions", "/revoke-other-sessions", "/api-key/rotate"}
	routes := append([]matrixRow{
		{method: "POST", path: "/api/collections/users/auth-with-password"},
		{method: "POST", path: "/api/collections/_superusers/auth-with-password"},
		{method: "POST", path: "/api/collections/users/records"},
		{method: "PATCH", path: "/api/collections/users/records/" + h.bob.Id},
		{method: "POST", path: "/api/collections/api_keys/records"},
		{method: "POST", path: "/api/sql"},
	}, roleMatrix...)
	for _, route := range routes {
		if endsWithAny(route.path, ends) || route.call != "" {
			continue
		}
		for _, as := range credentials {
			for _, body := range bodies {
				if route.method == "GET" {
					body = ""
				}
				got := h.do(route.method, route.path, as, body)
				if got.status < 400 {
					continue
				}
				for name, canary := range canaries {
					if strings.Contains(string(got.body), canary) {
						t.Errorf("an error of %s %s repeats %s: %s", route.method, route.path, name, got.body)
					}
				}
			}
		}
	}
	h.flushLogs()
	if logged := len(h.dump(h.app.AuxDB(), "_logs")); logged < 100 {
		t.Fatalf("only %d requests were logged: this test looks at nothing", logged)
	}
	for file, database := range map[string]dbx.Builder{"data.db": h.app.DB(), "auxiliary.db": h.app.AuxDB()} {
		for _, table := range h.tables(database) {
			rows := strings.Join(h.dump(database, table), "\n")
			for name, canary := range canaries {
				if at := strings.Index(rows, canary); at >= 0 {
					t.Errorf("%s of %s holds %s: …%s", table, file, name, rows[max(0, at-200):at])
				}
			}
		}
	}
}

func endsWithAny(path string, suffixes []string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(path, suffix) {
			return true
		}
	}
	return false
}

// An answer that shows a key is never kept by a cache on its way.
func TestKeysAreNotCached(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	made := h.newKey()
	for _, got := range []answer{
		h.do("GET", "/api/user/api-key", h.asAlice(), "").want(200),
		h.do("POST", "/api/user/api-key/rotate", h.asAlice(), "").want(200),
		made,
		h.do("POST", keysPath+"/"+made.text("id")+"/rotate", h.asAlice(), "").want(200),
		h.do("GET", "/api/auth/get-session", bearer(h.aliceSession().raw), "").want(200),
	} {
		if control := got.header.Get("Cache-Control"); control != "no-store" {
			t.Errorf("%s has Cache-Control %q", got.request, control)
		}
	}
}
