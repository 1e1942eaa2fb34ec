package hooks

import (
	"slices"
	"strings"
	"testing"
)

func TestAChatIsChargedByTheProvidersCounts(t *testing.T) {
	g := newGatewayHouse(t, completion)
	got := g.post("/v1/chat/completions", chat()).want(200)
	if got.text("choices.0.message.content") != "hi" || got.header.Get("x-sokuji-charged-tokens") != "240" {
		t.Errorf("the answer is %s, charged %s", got.body, got.header.Get("x-sokuji-charged-tokens"))
	}
	if !strings.HasPrefix(got.header.Get("x-request-id"), "req_") {
		t.Errorf("x-request-id is %q", got.header.Get("x-request-id"))
	}
	g.wantSettlement(settlement{holdState: "settled", entries: 1, charged: ordinaryCharge, settledBy: "provider"})

	usage := g.do("GET", "/api/wallet/usage?userId="+g.alice.Id, g.asRoot(), "").want(200)
	for path, want := range map[string]string{
		"provider": "openai", "model": testModel, "endpoint": "/v1/chat/completions", "responseId": "chatcmpl-1",
		"requestId": got.header.Get("x-request-id"), "metadata.upstream": "openai", "metadata.providerRequestId": "req_of_provider",
	} {
		if shown := usage.text("usage.0." + path); shown != want {
			t.Errorf("the usage row's %s is %q, want %q", path, shown, want)
		}
	}
	if usage.number("usage.0.status") != 200 || usage.number("usage.0.counts.in_text") != promptTokens || usage.text("usage.0.apiKeyId") == "" || usage.text("usage.0.priceId") == "" {
		t.Errorf("the usage row is %s", usage.body)
	}

	call := g.up.last(t)
	if call.path != "/v1/chat/completions" || call.header.Get("Authorization") != "Bearer "+providerKey {
		t.Errorf("the provider saw %s with %q", call.path, call.header.Get("Authorization"))
	}
	if string(call.body) != chat() {
		t.Errorf("the body changed from %s to %s", chat(), call.body)
	}
}

func TestAStreamIsChargedAndItsUsageHidden(t *testing.T) {
	g := newGatewayHouse(t, chunks(delta("he"), delta("llo"), usageChunk, done))
	stream := g.stream("/v1/chat/completions", chat("stream", true))
	got := stream.rest()
	if len(got) != 3 || got[2] != done || slices.ContainsFunc(got, func(data string) bool { return strings.Contains(data, "usage") }) {
		t.Errorf("the events are %q", got)
	}
	if !strings.Contains(string(g.up.last(t).body), `"stream_options":{"include_usage":true}`) {
		t.Errorf("the provider was not asked for the usage: %s", g.up.last(t).body)
	}
	g.wantSettlement(settlement{holdState: "settled", entries: 1, charged: ordinaryCharge, settledBy: "provider"})
}
