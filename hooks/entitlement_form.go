package hooks

import (
	"database/sql"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
)

// bindEntitlementForm refuses a list of models that cannot be read, when an admin
// saves a plan or an entitlement: it would open none.
func bindEntitlementForm(app core.App) {
	check := func(e *core.RecordRequestEvent) error {
		if _, err := parseModelList(e.Record.GetString("allowed_models")); err != nil {
			return apis.NewBadRequestError("allowed_models: "+err.Error()+".", nil)
		}
		return e.Next()
	}
	for _, name := range []string{plansCollection, entitlementsCollection} {
		app.OnRecordCreateRequest(name).BindFunc(check)
		app.OnRecordUpdateRequest(name).BindFunc(check)
	}
}

// parseModelList reads a JSON column of models.
func parseModelList(stored string) (apikeys.Models, error) {
	names, err := storedTexts("a list of models", sql.NullString{String: stored, Valid: true})
	if err != nil {
		return nil, err
	}
	return apikeys.ParseModels(names)
}
