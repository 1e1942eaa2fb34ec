package migrations

import (
	"encoding/json"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"

	"sokuji/internal/pricing"
)

// The price book. A row never changes: a new price is a new row with a later
// effective_from. Rates are micro-USD per million units of their class; 0 means
// that the class is not priced, and usage of it is refused.
func init() {
	m.Register(func(app core.App) error {
		collection := newCollection("prices", pricesFields()...)
		collection.AddIndex("idx_prices_model", false, "provider, model, effective_from", "")
		visible(collection, `@request.auth.id != ""`)
		if err := app.Save(collection); err != nil {
			return err
		}
		for _, price := range pricing.SeedPrices() {
			if err := seedPrice(app, collection, price); err != nil {
				return err
			}
		}
		return appendOnly(app, "prices")
	}, nil)
}

func pricesFields() []core.Field {
	fields := []core.Field{requiredText("provider"), requiredText("model")}
	for _, class := range pricing.Classes() {
		rate := integer(string(class))
		rate.Min, rate.Max = pointer(0), pointer(float64(pricing.MaxRate))
		fields = append(fields, rate)
	}
	margin := integer("margin_ppm")
	margin.Min, margin.Max = pointer(0), pointer(float64(pricing.MaxMarginPPM))
	return append(fields, margin, date("effective_from"), text("source"), createdAt())
}

func pointer(n float64) *float64 { return &n }

func seedPrice(app core.App, collection *core.Collection, price pricing.Price) error {
	encoded, err := json.Marshal(price.Rates)
	if err != nil {
		return err
	}
	rates := map[string]int64{}
	if err := json.Unmarshal(encoded, &rates); err != nil {
		return err
	}
	record := core.NewRecord(collection)
	record.Set("provider", strings.ToLower(price.Provider))
	record.Set("model", price.Model)
	for class, rate := range rates {
		record.Set(class, rate)
	}
	record.Set("margin_ppm", price.MarginPPM)
	record.Set("source", "the original backend's price list, 2025-10")
	return app.Save(record)
}
