package config

import (
	"fmt"
	"strings"
)

// Gateway is what the environment says about the metered proxy.
type Gateway struct {
	// OpenAI and Anthropic exist as providers without a row of their own, each as
	// soon as one of its variables is set.
	OpenAI, Anthropic EnvironmentProvider

	// AllowPrivate opens loopback and private networks to providers.
	AllowPrivate bool

	// LogContent keeps what was asked and answered with the usage rows.
	LogContent bool
}

// EnvironmentProvider is a provider that the environment sets up.
type EnvironmentProvider struct {
	Key     Secret
	BaseURL string // "" is the provider's own address
}

// IsSet tells whether the provider exists.
func (p EnvironmentProvider) IsSet() bool { return p.Key.IsSet() || p.BaseURL != "" }

func (e *environment) gateway() Gateway {
	return Gateway{
		OpenAI:       e.provider(variableOpenAIKey, variableOpenAIBaseURL, "https://api.openai.com/v1"),
		Anthropic:    e.provider(variableAnthropicKey, variableAnthropicBaseURL, "https://api.anthropic.com"),
		AllowPrivate: e.flag(variableAllowPrivate),
		LogContent:   e.flag(variableLogContent),
	}
}

func (e *environment) provider(keyName, addressName, example string) EnvironmentProvider {
	provider := EnvironmentProvider{Key: NewSecret(e.text(keyName))}
	text := e.text(addressName)
	if text == "" {
		return provider
	}
	address, wrong := parseAddress(text)
	if wrong != "" {
		e.refuse(addressName, fmt.Sprintf("is %s, which %s", shown(text), wrong), example)
	}
	provider.BaseURL = address.origin + strings.TrimRight(address.path, "/")
	return provider
}

// flag reads true or false; unset is false.
func (e *environment) flag(name string) bool {
	switch e.text(name) {
	case "", "false":
		return false
	case "true":
		return true
	}
	e.refuse(name, "must be true or false", "true")
	return false
}

func onOrOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
