package hooks

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
	"sokuji/internal/ledger"
)

// mayCallModel tells whether the caller's plan and key are open to a model, and
// why not. feature is what its price demands.
func (s *server) mayCallModel(e *core.RequestEvent, c caller, model, feature string) error {
	granted, err := s.entitlementOf(e.Request.Context(), ledger.UserSubject(c.userID))
	if err != nil {
		return err
	}
	return s.openTo(c, granted, model, feature)
}

func (s *server) openTo(c caller, granted entitlement, model, feature string) error {
	subject := ledger.UserSubject(c.userID)
	if feature != "" && !slices.Contains(s.featuresOf(subject, granted), feature) {
		return notOpen("feature_required", fmt.Sprintf("The model %q needs the feature %s, which your plan %s does not have: change the plan, or choose another model.",
			model, feature, planName(granted.planID)))
	}
	if !s.planOpens(subject, granted, model) {
		return notOpen("model_not_allowed", fmt.Sprintf("Your plan %s is not open to the model %q: GET /v1/models lists those that are.", planName(granted.planID), model))
	}
	if !listAllows(c.grant.Bounds().Models, model) {
		return notOpen("model_not_allowed", fmt.Sprintf("This API key is not open to the model %q: GET /v1/models lists those that are.", model))
	}
	return nil
}

func notOpen(code, message string) error {
	return &refusal{status: http.StatusForbidden, code: code, title: "Forbidden", message: message, field: "model"}
}

// planOpens reads the models of a plan. What cannot be read opens none.
func (s *server) planOpens(subject ledger.Subject, granted entitlement, model string) bool {
	if granted.allowedModels == "" {
		return true
	}
	models, err := parseModelList(granted.allowedModels)
	if err != nil {
		s.app.Logger().Warn("The allowed models of an entitlement are not a list of models",
			slog.String("subject", subject.ID), slog.Any("error", err))
		return false
	}
	return listAllows(models, model)
}

// listAllows takes the model as it was asked for, with or without its provider
// before it.
func listAllows(models apikeys.Models, model string) bool {
	_, bare, hasProvider := strings.Cut(model, "/")
	return models.Allow(model) || (hasProvider && models.Allow(bare))
}
