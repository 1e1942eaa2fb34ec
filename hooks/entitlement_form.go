package hooks

import (
	"database/sql"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
)

// bindEntitlementForm refuses lists that cannot be read, when an admin saves a plan
// or an entitlement: they would open nothing.
func bindEntitlementForm(app core.App) {
	check := func(e *core.RecordRequestEvent) error {
		if err := checkListColumns(e.Record, modelsColumn, featuresColumn); err != nil {
			return notSaved(err)
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
