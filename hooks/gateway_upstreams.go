package hooks

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"sokuji/internal/gateway"
	"sokuji/internal/metering"
)

// upstreamsFor lists who serves a model on an endpoint, each with the price in
// force. Without any the call ends here, before a provider hears of it. The model
// is looked up as it is; provider/model picks one provider.
func (s *server) upstreamsFor(endpoint metering.Endpoint, model string) ([]gateway.Upstream, error) {
	found, elsewhere := s.upstreamsOf(*s.providers.Load(), endpoint, model)
	if name, rest, ok := strings.Cut(model, "/"); ok && len(found) == 0 {
		if provider, known := s.providerNamed(name); known {
			found, elsewhere = s.upstreamsOf([]gateway.Provider{provider}, endpoint, rest)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	if elsewhere {
		return nil, modelNotFound(fmt.Sprintf("The model %.100q is not served on /v1/%s.", model, endpoint))
	}
	return nil, unknownModel(model)
}

// upstreamsOf lists who of some providers serves a model; elsewhere tells that one
// does so on another endpoint only.
func (s *server) upstreamsOf(providers []gateway.Provider, endpoint metering.Endpoint, model string) (found []gateway.Upstream, elsewhere bool) {
	book, now := s.prices.Load(), time.Now()
	for _, provider := range providers {
		if !provider.Serves(model) {
			continue
		}
		price, priced := book.Find(provider.PriceProvider, model, now)
		if !priced {
			continue
		}
		if !provider.Speaks(string(endpoint)) {
			elsewhere = true
			continue
		}
		found = append(found, gateway.Upstream{Provider: provider, Model: provider.OwnName(model), Asked: model, Price: price})
	}
	return found, elsewhere
}

func unknownModel(model string) error {
	return modelNotFound(fmt.Sprintf("The model %.100q does not exist here, or has no price: GET /v1/models lists those there are.", model))
}

func modelNotFound(message string) error {
	return &refusal{status: http.StatusNotFound, code: "model_not_found", title: "Model not found", message: message, field: "model"}
}
