package hooks

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"sokuji/internal/apikeys"
	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// openUpstreams keeps the upstreams that are open to the caller and that have a
// price for what is asked. When none is left it says why the first is not.
func (s *server) openUpstreams(c caller, granted entitlement, endpoint metering.Endpoint, asked pricing.Usage, upstreams []gateway.Upstream) ([]gateway.Upstream, error) {
	var open []gateway.Upstream
	var refused error
	for _, upstream := range upstreams {
		err := s.openTo(c, granted, upstream)
		if err == nil {
			err = refuseSoundAsText(endpoint, asked, upstream)
		}
		if err != nil {
			refused = cmp.Or(refused, err)
			continue
		}
		open = append(open, upstream)
	}
	if len(open) == 0 {
		return nil, refused
	}
	return open, nil
}

// openTo tells whether the caller's plan and key are open to a model of a provider,
// and why not.
func (s *server) openTo(c caller, granted entitlement, upstream gateway.Upstream) error {
	subject, model, feature := ledger.UserSubject(c.userID), upstream.Asked, upstream.Price.Feature
	if feature != "" && !slices.Contains(s.featuresOf(subject, granted), feature) {
		return notOpen("feature_required", fmt.Sprintf("The model %q needs the feature %s, which your plan %s does not have: change the plan, or choose another model.",
			model, feature, planName(granted.planID)))
	}
	if !s.planOpens(subject, granted, upstream) {
		return notOpen("model_not_allowed", fmt.Sprintf("Your plan %s is not open to the model %q: GET /v1/models lists those that are.", planName(granted.planID), model))
	}
	if !listAllows(c.grant.Bounds().Models, upstream) {
		return notOpen("model_not_allowed", fmt.Sprintf("This API key is not open to the model %q: GET /v1/models lists those that are.", model))
	}
	return nil
}

func notOpen(code, message string) error {
	return &refusal{status: http.StatusForbidden, code: code, title: "Forbidden", message: message, field: "model"}
}

// planOpens reads the models of a plan. What cannot be read opens none.
func (s *server) planOpens(subject ledger.Subject, granted entitlement, upstream gateway.Upstream) bool {
	if granted.allowedModels == "" {
		return true
	}
	models, err := parseModelList(granted.allowedModels)
	if err != nil {
		s.app.Logger().Warn("The allowed models of an entitlement are not a list of models",
			slog.String("subject", subject.ID), slog.Any("error", err))
		return false
	}
	return listAllows(models, upstream)
}

// listAllows tells whether a list names a model, alone or with its provider before
// it: whichever way it was asked for.
func listAllows(models apikeys.Models, upstream gateway.Upstream) bool {
	return models.Allow(upstream.Asked) || models.Allow(upstream.Name+"/"+upstream.Asked)
}
