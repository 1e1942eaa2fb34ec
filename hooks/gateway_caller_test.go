package hooks

import (
	"crypto/rand"
	"slices"
	"testing"

	"sokuji/internal/apikeys"
)

// A stream goes on for the key that opened it, wherever that stands: a key that is
// none may be in the other header.
func TestAStreamGoesOnForTheKeyThatOpenedIt(t *testing.T) {
	g := newGatewayHouse(t, chunks(delta("a"), delta("b"), usageChunk, done))
	g.server.gateway.renewInterval = 0 // each event shows that it may
	dead, err := apikeys.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	stranger, _ := g.keyWith(map[string]any{"user": g.bob.Id, "scopes": []apikeys.Scope{apikeys.ScopeGateway}})
	g.mint(g.bob, 1_000_000)
	for name, headers := range map[string][2]string{
		"a dead key first":    {dead.Reveal(), g.key},
		"a dead key last":     {g.key, dead.Reveal()},
		"another's key first": {stranger, g.key},
	} {
		request := g.request("POST", "/v1/chat/completions", bearer(headers[0]), chat("stream", true), "x-api-key", headers[1])
		response, err := g.srv.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		if got := newLiveStream(t, response).rest(); !slices.Contains(got, done) {
			t.Errorf("%s: %d, %v", name, response.StatusCode, got)
		}
	}
}
