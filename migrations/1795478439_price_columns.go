package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Users read what a model costs, without the operator's notes and margin. The margin
// is no secret by that: each usage row names the one that it was charged with, so that
// its owner can work the charge out.
func init() {
	m.Register(func(app core.App) error {
		prices, err := app.FindCollectionByNameOrId("prices")
		if err != nil {
			return err
		}
		for _, name := range []string{"margin_ppm", "source"} {
			field := prices.Fields.GetByName(name)
			if field == nil {
				return fmt.Errorf("prices has no column %s", name)
			}
			field.SetHidden(true)
		}
		return app.Save(prices)
	}, nil)
}
