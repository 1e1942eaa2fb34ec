package gateway

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"sokuji/internal/pricing"
)

const (
	// anthropicVersion is sent when the client names none.
	anthropicVersion       = "2023-06-01"
	anthropicVersionHeader = "anthropic-version"
	userAgent              = "sokuji-gateway"
)

// Upstream is a provider that answers for one model, with the price in force.
type Upstream struct {
	Provider
	Model string // the provider's own name for it
	Asked string // the client's name for it, under which it is priced
	Price pricing.Price
}

// NewRequest addresses and signs a request to the provider: path is a route such
// as chat/completions. No header of the client's is on it.
func (u Upstream) NewRequest(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	if u.KeyError != nil {
		return nil, u.KeyError
	}
	request, err := http.NewRequestWithContext(ctx, method, u.Address(path).String(), body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", userAgent)
	u.Sign(request.Header)
	return request, nil
}

// Sign puts the provider's key on the headers of a request.
func (u Upstream) Sign(header http.Header) {
	if u.Kind == Anthropic {
		header.Set(anthropicVersionHeader, anthropicVersion)
	}
	if !u.Key.IsSet() {
		return
	}
	key := string(u.Key.Bytes())
	switch u.Kind {
	case Azure:
		header.Set("api-key", key)
	case Anthropic:
		header.Set("x-api-key", key)
	default:
		header.Set("Authorization", "Bearer "+key)
	}
}

// Address is where the provider has a route.
func (u Upstream) Address(path string) *url.URL {
	base := u.BaseURL
	switch u.Kind {
	case Azure:
		return u.azureAddress(path)
	case Anthropic:
		if !strings.HasSuffix(base.Path, "/v1") {
			return base.JoinPath("v1", path)
		}
	}
	return base.JoinPath(path)
}

// azureAddress names the deployment in the path. Responses, and everything at the
// versionless address, name it in the body.
func (u Upstream) azureAddress(path string) *url.URL {
	base := u.BaseURL
	if !strings.Contains(base.Path, "/openai") {
		base = base.JoinPath("openai")
	}
	if u.APIVersion == "" {
		if !strings.HasSuffix(base.Path, "/v1") {
			base = base.JoinPath("v1")
		}
		return base.JoinPath(path)
	}
	if path == "responses" || path == "realtime" {
		base = base.JoinPath(path)
	} else {
		base = base.JoinPath("deployments", url.PathEscape(u.Model), path)
	}
	base.RawQuery = url.Values{"api-version": {u.APIVersion}}.Encode()
	return base
}
