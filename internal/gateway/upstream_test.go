package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"sokuji/internal/config"
)

const canaryKey = "sk-canary-provider-key"

func address(t *testing.T, text string) *url.URL {
	t.Helper()
	parsed, err := ParseBaseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		kind                Kind
		base, version, path string
		want, header        string
	}{
		{OpenAI, "https://api.openai.com/v1", "", "chat/completions", "https://api.openai.com/v1/chat/completions", "Authorization"},
		{Compatible, "http://localhost:11434/v1/", "", "embeddings", "http://localhost:11434/v1/embeddings", "Authorization"},
		{Anthropic, "https://api.anthropic.com", "", "messages", "https://api.anthropic.com/v1/messages", "X-Api-Key"},
		{Anthropic, "https://proxy.example.com/claude/v1", "", "messages", "https://proxy.example.com/claude/v1/messages", "X-Api-Key"},
		{Azure, "https://x.openai.azure.com", "2024-10-21", "chat/completions", "https://x.openai.azure.com/openai/deployments/own%20name/chat/completions?api-version=2024-10-21", "Api-Key"},
		{Azure, "https://x.openai.azure.com", "2025-03-01-preview", "responses", "https://x.openai.azure.com/openai/responses?api-version=2025-03-01-preview", "Api-Key"},
		{Azure, "https://x.openai.azure.com", "", "chat/completions", "https://x.openai.azure.com/openai/v1/chat/completions", "Api-Key"},
		{Azure, "https://x.openai.azure.com/openai/v1", "", "embeddings", "https://x.openai.azure.com/openai/v1/embeddings", "Api-Key"},
	} {
		upstream := Upstream{Model: "own name", Provider: Provider{Kind: c.kind, BaseURL: address(t, c.base), APIVersion: c.version, Key: config.NewSecret(canaryKey)}}
		request, err := upstream.NewRequest(context.Background(), "POST", c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if request.URL.String() != c.want {
			t.Errorf("%s at %s: %s, want %s", c.kind, c.base, request.URL, c.want)
		}
		if value := request.Header.Get(c.header); !strings.HasSuffix(value, canaryKey) {
			t.Errorf("%s: the header %s is %q", c.kind, c.header, value)
		}
		if strings.Contains(request.URL.String(), canaryKey) {
			t.Errorf("%s: the key is in the address", c.kind)
		}
	}
}

// A provider without a key gets none; one whose key cannot be had is not called.
func TestKeys(t *testing.T) {
	upstream := Upstream{Provider: Provider{Kind: Compatible, BaseURL: address(t, "http://localhost/v1")}}
	request, err := upstream.NewRequest(context.Background(), "POST", "responses", nil)
	if err != nil || request.Header.Get("Authorization") != "" {
		t.Errorf("%v, %v", request.Header, err)
	}
	upstream.KeyError = errors.New("no key")
	if _, err := upstream.NewRequest(context.Background(), "POST", "responses", nil); !errors.Is(err, upstream.KeyError) {
		t.Errorf("%v", err)
	}
}

// However an upstream is printed, its key is not.
func TestAnUpstreamDoesNotShowItsKey(t *testing.T) {
	upstream := Upstream{Provider: Provider{Kind: OpenAI, BaseURL: address(t, DefaultOpenAIBaseURL), Key: config.NewSecret(canaryKey)}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if text := fmt.Sprintf(verb, upstream); strings.Contains(text, canaryKey) {
			t.Errorf("%s prints %s", verb, text)
		}
	}
	failure := &Failure{Upstream: upstream, Status: 401, Body: []byte("the key " + canaryKey + " is wrong")}
	if strings.Contains(failure.Error(), canaryKey) {
		t.Error(failure)
	}
}

func TestParseBaseURLRefuses(t *testing.T) {
	for _, text := range []string{"", "api.openai.com", "ftp://x.example", "https://", "https://user:pass@x.example", "https://x.example?a=1", "https://x.example#a", "file:///etc/passwd", "http://[::1"} {
		if _, err := ParseBaseURL(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestServes(t *testing.T) {
	provider := Provider{Models: []string{"exact", "family-*"}, ModelMap: map[string]string{"exact": "deployment"}}
	for model, want := range map[string]bool{"exact": true, "exact-2": false, "family-": true, "family-x": true, "famil": false, "": false} {
		if provider.Serves(model) != want {
			t.Errorf("%q: %v", model, !want)
		}
	}
	if provider.OwnName("exact") != "deployment" || provider.OwnName("other") != "other" {
		t.Error("the names are wrong")
	}
	if !(Provider{}).Serves("anything") {
		t.Error("a provider without a list serves nothing")
	}
	for path, speaks := range map[string]bool{"messages": true, "chat/completions": false} {
		if (Provider{Kind: Anthropic}).Speaks(path) != speaks || (Provider{Kind: OpenAI}).Speaks(path) == speaks {
			t.Errorf("%s is spoken by the wrong kind", path)
		}
	}
}

func named(name string, priority, weight int) Upstream {
	return Upstream{Provider: Provider{Name: name, Priority: priority, Weight: weight}}
}

func names(upstreams []Upstream) string {
	var all bytes.Buffer
	for _, upstream := range upstreams {
		all.WriteString(upstream.Name)
	}
	return all.String()
}

func TestOrder(t *testing.T) {
	now := time.Unix(0, 0)
	health := NewHealth(func() time.Time { return now })
	first := func(int) int { return 0 }
	last := func(n int) int { return n - 1 }
	upstreams := []Upstream{named("c", 2, 1), named("a", 1, 1), named("b", 1, 3)}
	if got := names(Order(upstreams, health, first)); got != "abc" {
		t.Errorf("with the first ball: %s", got)
	}
	if got := names(Order(upstreams, health, last)); got != "bac" {
		t.Errorf("with the last ball: %s", got)
	}
	if names(upstreams) != "cab" {
		t.Error("the given list was reordered")
	}
	for range failuresToRest {
		health.Failed("a")
	}
	if got := names(Order(upstreams, health, first)); got != "bca" {
		t.Errorf("one that rests: %s", got)
	}
	now = now.Add(firstRest)
	if got := names(Order(upstreams, health, first)); got != "abc" {
		t.Errorf("after the rest: %s", got)
	}
}

// Over many draws each gets its share.
func TestWeights(t *testing.T) {
	health := NewHealth(time.Now)
	ball := 0
	drawn := make(map[string]int)
	for range 400 {
		order := Order([]Upstream{named("a", 0, 1), named("b", 0, 3)}, health, func(n int) int { ball++; return ball % n })
		drawn[order[0].Name]++
	}
	if drawn["a"] != 100 || drawn["b"] != 300 {
		t.Errorf("%v", drawn)
	}
}

func TestHealth(t *testing.T) {
	now := time.Unix(0, 0)
	health := NewHealth(func() time.Time { return now })
	fail := func(times int) {
		for range times {
			health.Failed("a")
		}
	}
	fail(failuresToRest - 1)
	if health.Rests("a") {
		t.Fatal("it rests too early")
	}
	health.Succeeded("a")
	fail(failuresToRest - 1)
	if health.Rests("a") {
		t.Fatal("the failures were not in a row")
	}
	fail(1)
	for rest := firstRest; rest < longestRest; rest *= 2 {
		if !health.Rests("a") {
			t.Fatal("it does not rest")
		}
		now = now.Add(rest - 1)
		if !health.Rests("a") {
			t.Fatal("it rests too short")
		}
		now = now.Add(1)
		if health.Rests("a") {
			t.Fatal("it rests too long")
		}
		fail(1) // the trial
	}
	now = now.Add(longestRest)
	if health.Rests("a") || health.Rests("b") {
		t.Error("it rests longer than the longest")
	}
}
