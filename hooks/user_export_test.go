package hooks

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// What is held on a user is theirs to have, without anything that opens a door.
func TestAUserExportsWhatIsHeldOnThem(t *testing.T) {
	h := newHouse(t)
	h.mint(h.bob, 7)
	h.spend()
	key, s, token := h.defaultKey(), h.aliceSession(), h.byPassword().want(200).text("token")
	h.do("POST", "/api/collections/organizations/records", h.asAlice(), object("name", "Acme")).want(200)
	for name, as := range map[string]credential{"token": bearer(token), "session": bearer(s.raw), "cookie": cookie(s.signed, trustedOrigin)} {
		got := h.do("GET", "/api/user/export", as, "").want(200)
		for header, want := range map[string]string{
			"Cache-Control": "no-store", "Content-Type": "application/json", "Content-Disposition": `attachment; filename="export.json"`,
		} {
			if got.header.Get(header) != want {
				t.Errorf("%s: %s is %q", name, header, got.header.Get(header))
			}
		}
		for path, want := range map[string]string{
			"user.email": aliceEmail, "user.id": h.alice.Id, "appUser.better_auth_user_id": h.alice.Id, "accounts.0.providerId": "credential",
			"wallet.subject_id": h.alice.Id, "ledger.0.event_type": "mint", "usage.0.subject_id": h.alice.Id, "holds.0.state": "open",
			"entitlement.plan_id": "free_plan", "memberships.0.role": "owner", "apiKeys.0.name": "default", "usageDaily.0.subject_id": h.alice.Id,
			"auditLog.0.action": "wallet.mint",
		} {
			if got.text(path) != want {
				t.Errorf("%s: %s is %v, want %s", name, path, got.value(path), want)
			}
		}
		if got.length("ledger") != 4 || got.length("usage") != 3 || got.length("sessions") < 2 || got.number("wallet.balance_tokens") != 967 {
			t.Errorf("%s: rows are missing: %s", name, got.body)
		}
		secrets := map[string]string{
			"the key": key, "the session": s.raw, "the token": token, "the token key": h.alice.TokenKey(), "the superuser": h.root.Id, "bob": h.bob.Id,
			"a bcrypt hash": "$2a$",
		}
		for _, hash := range append(h.columns("sessions", "token_hash", "token_key_hash"), h.columns("api_keys", "key_hash")...) {
			secrets["the hash "+hash] = hash
		}
		for what, secret := range secrets {
			if strings.Contains(string(got.body), secret) {
				t.Errorf("%s: it shows %s", name, what)
			}
		}
	}
}

// At most so many run at once, and one that ended makes room.
func TestExportsOfUsersAreBounded(t *testing.T) {
	h := newHouse(t)
	as := h.asAlice()
	entered, leave := make(chan struct{}, maxUserExports), make(chan struct{})
	h.holdWrites(entered, leave)
	done := make(chan int, maxUserExports)
	for range maxUserExports {
		request := h.request("GET", "/api/user/export", as, "", "X-Hold", "1")
		go func() {
			response, err := h.srv.Client().Do(request)
			if err != nil {
				done <- 0
				return
			}
			defer response.Body.Close()
			var document map[string]any
			if json.NewDecoder(response.Body).Decode(&document) != nil {
				done <- 0
				return
			}
			done <- response.StatusCode
		}()
	}
	for range maxUserExports {
		<-entered
	}
	refused := h.do("GET", "/api/user/export", as, "").want(429)
	if refused.header.Get("Retry-After") == "" || refused.outcome() != "429 rate_limited" {
		t.Errorf("answered %s", refused.body)
	}
	close(leave)
	for range maxUserExports {
		if status := <-done; status != 200 {
			t.Errorf("an export ended with %d", status)
		}
	}
	h.do("GET", "/api/user/export", as, "").want(200)
}

// holdWrites lets answers to requests with X-Hold wait at their first byte.
func (h *house) holdWrites(entered chan<- struct{}, leave <-chan struct{}) {
	inner := h.srv.Config.Handler
	h.srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Hold") != "" {
			w = &holdingWriter{ResponseWriter: w, entered: entered, leave: leave}
		}
		inner.ServeHTTP(w, r)
	})
}

type holdingWriter struct {
	http.ResponseWriter
	entered chan<- struct{}
	leave   <-chan struct{}
	isHeld  bool
}

func (w *holdingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *holdingWriter) Write(part []byte) (int, error) {
	if !w.isHeld {
		w.isHeld = true
		w.entered <- struct{}{}
		<-w.leave
	}
	return w.ResponseWriter.Write(part)
}
