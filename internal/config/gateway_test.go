package config

import (
	"strings"
	"testing"
)

const providerKey = "sk-canary-provider-key"

func TestGateway(t *testing.T) {
	t.Parallel()
	got := mustLoad(t, map[string]string{
		"OPENAI_API_KEY": " " + providerKey + "\n", "OPENAI_BASE_URL": "http://127.0.0.1:9999/v1/",
		"ANTHROPIC_BASE_URL": "https://claude.example.com", "GATEWAY_ALLOW_PRIVATE": "true", "GATEWAY_LOG_CONTENT": "false",
	})
	gateway := got.Gateway
	if string(gateway.OpenAI.Key.Bytes()) != providerKey || gateway.OpenAI.BaseURL != "http://127.0.0.1:9999/v1" {
		t.Errorf("openai is %q at %q", gateway.OpenAI.Key.Bytes(), gateway.OpenAI.BaseURL)
	}
	if gateway.Anthropic.Key.IsSet() || !gateway.Anthropic.IsSet() || gateway.Anthropic.BaseURL != "https://claude.example.com" {
		t.Errorf("anthropic is %+v", gateway.Anthropic)
	}
	if !gateway.AllowPrivate || gateway.LogContent {
		t.Errorf("the flags are %v, %v", gateway.AllowPrivate, gateway.LogContent)
	}
	if summary := strings.Join(got.Summary(), "\n"); strings.Contains(summary, providerKey) || !strings.Contains(summary, "provider openai: set") {
		t.Errorf("the summary is %s", summary)
	}
	if unset := mustLoad(t, nil).Gateway; unset.OpenAI.IsSet() || unset.Anthropic.IsSet() || unset.AllowPrivate || unset.LogContent {
		t.Errorf("without variables there is %+v", unset)
	}
}

func TestGatewayRefuses(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"OPENAI_BASE_URL": "api.openai.com", "ANTHROPIC_BASE_URL": "ftp://claude.example.com",
		"GATEWAY_ALLOW_PRIVATE": "yes", "GATEWAY_LOG_CONTENT": "1",
	} {
		_, err := Load(func(asked string) string {
			if asked == name {
				return value
			}
			return ""
		})
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "for example "+name+"=") {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}
