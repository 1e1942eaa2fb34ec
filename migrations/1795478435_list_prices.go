package migrations

import (
	"encoding/json"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"

	"sokuji/internal/pricing"
)

// The providers' list prices are seeded once. A model that has a row already, an
// admin's, keeps it and gets none.
func init() {
	m.Register(func(app core.App) error {
		collection, err := app.FindCollectionByNameOrId("prices")
		if err != nil {
			return err
		}
		for _, listed := range pricing.ListPrices() {
			known, err := app.CountRecords(collection, dbx.NewExp(
				"provider = {:provider} COLLATE NOCASE AND model = {:model}",
				dbx.Params{"provider": listed.Provider, "model": listed.Model}))
			if err != nil {
				return err
			}
			if known > 0 {
				continue
			}
			if err := seedListPrice(app, collection, listed); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}

func seedListPrice(app core.App, collection *core.Collection, listed pricing.ListPrice) error {
	encoded, err := json.Marshal(listed.Rates)
	if err != nil {
		return err
	}
	// Rates and columns share their names.
	columns := map[string]any{}
	if err := json.Unmarshal(encoded, &columns); err != nil {
		return err
	}
	record := core.NewRecord(collection)
	record.Load(columns)
	record.Set("provider", listed.Provider)
	record.Set("model", listed.Model)
	record.Set("match", "exact")
	record.Set("feature", listed.Feature)
	record.Set("source", listed.Source)
	return app.Save(record)
}
