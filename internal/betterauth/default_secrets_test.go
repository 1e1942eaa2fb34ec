package betterauth_test

import (
	"testing"

	"sokuji/internal/betterauth"
)

// A token and its signature as a backend without a secret handed them out.
func TestABackendWithoutASecretIsUnderstood(t *testing.T) {
	const signed = "w3pvMcOwDn8vn2oLzNQmlTDPSLmK9zK7.Rfw/uhBj36SgqKFgfWN2QZEqrVZwLmGh+ljDj1QZIX0="
	own := []byte("the secret of this server, which signs")
	if _, ok := betterauth.ParseBearer([][]byte{own}, signed); ok {
		t.Error("the server's own secret verifies it")
	}
	token, ok := betterauth.ParseBearer(append([][]byte{own}, betterauth.DefaultSecrets()...), signed)
	if !ok || token != "w3pvMcOwDn8vn2oLzNQmlTDPSLmK9zK7" {
		t.Errorf("got %q, %v", token, ok)
	}
}
