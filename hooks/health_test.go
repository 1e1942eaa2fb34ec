package hooks

import (
	"testing"
	"time"
)

func TestHealthKeepsPocketBasesKeysAndAddsTheOriginals(t *testing.T) {
	h := newHouse(t, "ENVIRONMENT", "staging")
	guest := h.do("GET", "/api/health", nobody, "").want(200)
	wantKeys(t, guest, "", []string{"code", "message", "data", "status", "timestamp", "environment"})
	wantKeys(t, guest, "data", nil)
	if guest.number("code") != 200 || guest.text("status") != "healthy" || guest.text("environment") != "staging" || guest.text("message") != "API is healthy." {
		t.Errorf("health is %s", guest.body)
	}
	if at, err := time.Parse(time.RFC3339, guest.text("timestamp")); err != nil || time.Since(at) > time.Minute {
		t.Errorf("the timestamp is %s", guest.text("timestamp"))
	}
	wantKeys(t, h.do("GET", "/api/health", h.asAlice(), "").want(200), "data", nil)
	wantKeys(t, h.do("GET", "/api/health", h.asRoot(), "").want(200), "data", []string{"canBackup", "realIP", "possibleProxyHeader"})
}

func TestHealthProbes(t *testing.T) {
	h := newHouse(t)
	for path, part := range map[string]string{"db": "database", "kv": "kv"} {
		got := h.do("GET", "/api/health/"+path, nobody, "").want(200)
		if got.text("status") != "healthy" || got.text(part) != "connected" || got.text("timestamp") == "" {
			t.Errorf("%s is %s", path, got.body)
		}
	}
	for _, path := range []string{"", "/db", "/kv", "/ready"} {
		got := h.do("HEAD", "/api/health"+path, nobody, "").want(200)
		if len(got.body) != 0 {
			t.Errorf("HEAD %s has a body", path)
		}
	}
	h.do("POST", "/api/health", nobody, "").want(404)
}

// Each probe really looks: it fails when what it looks at is gone.
func TestHealthFailsWithItsTable(t *testing.T) {
	for path, table := range map[string]string{"db": "plans", "kv": "sessions", "ready": "wallets"} {
		t.Run(path, func(t *testing.T) {
			h := newHouse(t)
			h.mustExecute("ALTER TABLE " + table + " RENAME TO gone")
			got := h.do("GET", "/api/health/"+path, nobody, "").want(503)
			if got.text("status") != "unhealthy" {
				t.Errorf("the answer is %s", got.body)
			}
		})
	}
}

func TestUnknownPathsAreNotThePortal(t *testing.T) {
	h := newHouse(t)
	for path, want := range map[string]int{"/": 200, "/index.html": 301, "/nothing": 404, "/api/nothing": 404, "/v1/nothing": 404, "/api/auth/nothing": 404} {
		got := h.do("GET", path, nobody, "")
		if got.status != want && !(path == "/index.html" && got.status/100 == 3) {
			t.Errorf("GET %s answers %d, want %d", path, got.status, want)
		}
		if path == "/" && got.header.Get("Content-Security-Policy") == "" {
			t.Error("the portal has no content security policy")
		}
	}
	if body := h.do("GET", "/api/auth/nothing", nobody, "").body; len(body) != 0 {
		t.Errorf("Better Auth's 404 has no body, this one has %s", body)
	}
	if h.do("GET", "/v1/nothing", nobody, "").value("error.message") == nil {
		t.Error("a 404 below /v1 is not in OpenAI's form")
	}
}
