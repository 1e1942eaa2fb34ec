package hooks

import (
	"strings"
	"testing"
)

// Nobody is handed a key that opens nothing: one that is over is neither shown again
// nor rotated, until its owner gives it more time.
func TestAKeyThatIsOverIsNotHandedOut(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	named := h.newKey().text("id")
	shown := h.do("GET", "/api/user/api-key", h.asAlice(), "").want(200).text("apiKey")
	byDefault := h.firstID("api_keys", "user = {:user} AND is_default = TRUE", "user", h.alice.Id)
	for _, id := range []string{named, byDefault} {
		h.do("PATCH", "/api/collections/api_keys/records/"+id, h.asRoot(), object("expires_at", "2020-01-01 00:00:00.000Z")).want(200)
	}
	before := h.snapshot(keysCollection)
	h.do("GET", "/api/user/api-key", h.asAlice(), "").wantOutcome("403 forbidden").names("expiresAt").names("PATCH")
	for _, path := range []string{"/api/user/api-key/rotate", keysPath + "/" + named + "/rotate"} {
		for _, body := range []string{"", object("graceSeconds", 60)} {
			refused := h.do("POST", path, h.asAlice(), body).wantOutcome("400 invalid_request").names("PATCH")
			if !strings.Contains(string(refused.body), `"expiresAt"`) {
				t.Errorf("%s names no field: %s", path, refused.body)
			}
		}
	}
	h.unchanged(before)

	h.changeKey(byDefault, "expiresAt", nil).want(200)
	if again := h.do("GET", "/api/user/api-key", h.asAlice(), "").want(200).text("apiKey"); again != shown || h.opens(again) != "200" {
		t.Errorf("with more time the default key gets %q", h.opens(again))
	}
	rotated := h.do("POST", "/api/user/api-key/rotate", h.asAlice(), "").want(200).text("apiKey")
	h.changeKey(named, "expiresAt", "2099-01-01T00:00:00Z").want(200)
	next := h.do("POST", keysPath+"/"+named+"/rotate", h.asAlice(), "").want(200).text("apiKey")
	if got := h.opens(rotated) + " " + h.opens(next); got != "200 200" {
		t.Errorf("the rotated keys get %q", got)
	}
	// what an admin disabled says so first
	h.do("PATCH", "/api/collections/api_keys/records/"+byDefault, h.asRoot(), object("disabled", true, "expires_at", "2020-01-01 00:00:00.000Z")).want(200)
	h.do("GET", "/api/user/api-key", h.asAlice(), "").wantOutcome("403 forbidden").names("disabled")
}
