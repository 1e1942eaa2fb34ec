package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"

	"sokuji/internal/pricing"
)

// A price may be one of every model whose name begins so, may be open to some
// plans only, and a plan may have a margin of its own.
func init() {
	m.Register(func(app core.App) error {
		prices, err := app.FindCollectionByNameOrId("prices")
		if err != nil {
			return err
		}
		prices.Fields.Add(
			&core.SelectField{Name: "match", Values: []string{"exact", "prefix"}, MaxSelect: 1}, // empty is exact
			text("feature"),
		)
		if err := app.Save(prices); err != nil {
			return err
		}
		plans, err := app.FindCollectionByNameOrId("plans")
		if err != nil {
			return err
		}
		margin := integer("margin_ppm")
		margin.Min, margin.Max = pointer(0), pointer(float64(pricing.MaxMarginPPM))
		margin.Hidden = true // everybody sees the plans, but not what they earn
		plans.Fields.Add(margin)
		return app.Save(plans)
	}, nil)
}
