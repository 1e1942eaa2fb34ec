package gateway

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"sokuji/internal/config"
)

// Kind is the dialect in which a provider is addressed.
type Kind string

// The kinds.
const (
	OpenAI     Kind = "openai"
	Azure      Kind = "azure"
	Anthropic  Kind = "anthropic"
	Compatible Kind = "compatible" // speaks OpenAI's dialect: Ollama, vLLM, Gemini, Groq, and others
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{OpenAI, Azure, Anthropic, Compatible} }

// The addresses of the providers that need none.
const (
	DefaultOpenAIBaseURL    = "https://api.openai.com/v1"
	DefaultAnthropicBaseURL = "https://api.anthropic.com"
)

// messagesPath is the one route in Anthropic's dialect.
const messagesPath = "messages"

// Provider is a service that answers calls.
type Provider struct {
	Name          string
	Kind          Kind
	BaseURL       *url.URL
	Key           config.Secret // unset: the provider asks for none
	KeyError      error         // why there is no key although there should be one
	APIVersion    string        // of Azure; empty is its versionless address
	PriceProvider string        // whose prices in the book hold
	// Models are the names that it serves, each exact or a beginning with * behind
	// it. Empty means every model that its price provider has a price for.
	Models []string
	// ModelMap gives its own name for a model where that differs, such as a
	// deployment of Azure.
	ModelMap map[string]string
	Priority int // the lowest is tried first
	Weight   int // its share among those of the same priority, at least 1
	Timeouts Timeouts
}

// Timeouts bound the phases of a call; 0 is the default.
type Timeouts struct {
	FirstByte time.Duration // until the provider begins to answer
	Idle      time.Duration // between two pieces of an answer
	Total     time.Duration // the whole call
}

// The timeouts of a provider that sets none. Reasoning models think for minutes
// before the first byte.
const (
	DefaultFirstByteTimeout = 5 * time.Minute
	DefaultIdleTimeout      = 2 * time.Minute
	DefaultTotalTimeout     = 15 * time.Minute
	MaxTimeout              = time.Hour
)

// OrDefaults fills in what is not set.
func (t Timeouts) OrDefaults() Timeouts {
	for _, timeout := range []struct {
		value *time.Duration
		unset time.Duration
	}{{&t.FirstByte, DefaultFirstByteTimeout}, {&t.Idle, DefaultIdleTimeout}, {&t.Total, DefaultTotalTimeout}} {
		if *timeout.value <= 0 {
			*timeout.value = timeout.unset
		}
		*timeout.value = min(*timeout.value, MaxTimeout)
	}
	return t
}

// Speaks tells whether the provider has a route such as chat/completions.
func (p Provider) Speaks(path string) bool {
	return (p.Kind == Anthropic) == (path == messagesPath)
}

// Serves tells whether the provider answers for a model.
func (p Provider) Serves(model string) bool {
	if len(p.Models) == 0 {
		return true
	}
	return slices.ContainsFunc(p.Models, func(pattern string) bool {
		if beginning, isPrefix := strings.CutSuffix(pattern, "*"); isPrefix {
			return strings.HasPrefix(model, beginning)
		}
		return model == pattern
	})
}

// OwnName is what the provider itself calls a model.
func (p Provider) OwnName(model string) string {
	if own, mapped := p.ModelMap[model]; mapped {
		return own
	}
	return model
}

// ParseBaseURL reads a provider's address.
func ParseBaseURL(text string) (*url.URL, error) {
	address, err := url.Parse(strings.TrimRight(strings.TrimSpace(text), "/"))
	if err != nil {
		return nil, errors.New("is not an address: write for example https://api.example.com/v1")
	}
	if address.Scheme != "https" && address.Scheme != "http" || address.Host == "" {
		return nil, errors.New("must begin with https:// or http:// and name a host")
	}
	if address.User != nil {
		return nil, errors.New("must not carry a password: enter the key in its own field")
	}
	if address.RawQuery != "" || address.Fragment != "" {
		return nil, errors.New("must end with its path, without ? or #")
	}
	return address, nil
}

// DefaultBaseURL is the address of a kind that has one of its own.
func DefaultBaseURL(kind Kind) (string, error) {
	switch kind {
	case OpenAI:
		return DefaultOpenAIBaseURL, nil
	case Anthropic:
		return DefaultAnthropicBaseURL, nil
	}
	return "", fmt.Errorf("is missing: a provider of kind %s has no address of its own", kind)
}
