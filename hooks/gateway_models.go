package hooks

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/pricing"
)

// gatewayModel is a model in both dialects at once: OpenAI's clients read object,
// created and owned_by, Anthropic's type, display_name and created_at.
type gatewayModel struct {
	ID          string `json:"id"`
	Object      string `json:"object"`
	Created     int64  `json:"created"`
	OwnedBy     string `json:"owned_by"`
	Type        string `json:"type"`
	DisplayName string `json:"display_name"`
	CreatedAt   string `json:"created_at"`
}

// modelList has OpenAI's members and Anthropic's: there is one page.
type modelList struct {
	Object  string         `json:"object"`
	Data    []gatewayModel `json:"data"`
	HasMore bool           `json:"has_more"`
	FirstID *string        `json:"first_id"`
	LastID  *string        `json:"last_id"`
}

// gatewayModelList lists the models that the caller may call: those that have a
// price, a provider, and are open to the caller's plan and key.
func (s *server) gatewayModelList(e *core.RequestEvent) error {
	models, err := s.modelsFor(e)
	if err != nil {
		return err
	}
	list := modelList{Object: "list", Data: make([]gatewayModel, 0, len(models))}
	for _, name := range slices.Sorted(maps.Keys(models)) {
		list.Data = append(list.Data, models[name])
	}
	if len(list.Data) > 0 {
		list.FirstID, list.LastID = &list.Data[0].ID, &list.Data[len(list.Data)-1].ID
	}
	return e.JSON(http.StatusOK, list)
}

// gatewayModelOne shows one of them.
func (s *server) gatewayModelOne(e *core.RequestEvent) error {
	models, err := s.modelsFor(e)
	if err != nil {
		return err
	}
	name := e.Request.PathValue("model")
	model, known := models[name]
	if !known {
		return unknownModel(name)
	}
	return e.JSON(http.StatusOK, model)
}

func (s *server) modelsFor(e *core.RequestEvent) (map[string]gatewayModel, error) {
	c, err := requireGatewayCaller(e)
	if err != nil {
		return nil, err
	}
	granted, err := s.entitlementOf(e.Request.Context(), ledger.UserSubject(c.userID))
	if err != nil {
		return nil, err
	}
	now, book := time.Now(), s.prices.Load()
	models := make(map[string]gatewayModel)
	for _, provider := range *s.providers.Load() {
		for _, price := range book.Models(provider.PriceProvider, now) {
			if !provider.Serves(price.Model) || s.openTo(c, granted, gateway.Upstream{Provider: provider, Asked: price.Model, Price: price}) != nil {
				continue
			}
			if _, known := models[price.Model]; !known {
				models[price.Model] = modelOf(price, provider.Name)
			}
		}
	}
	return models, nil
}

// modelOf dates a model by its price. One that has always been in force has the
// date that Anthropic gives when it knows none: the epoch.
func modelOf(price pricing.Price, owner string) gatewayModel {
	since := time.Unix(max(price.EffectiveFrom.Unix(), 0), 0)
	return gatewayModel{
		ID: price.Model, Object: "model", Created: since.Unix(), OwnedBy: owner,
		Type: "model", DisplayName: price.Model, CreatedAt: isoTime(since),
	}
}
