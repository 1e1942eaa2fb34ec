package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// planBounds are the limits that were stored without bounds of their own. A negative
// one lets nobody in.
var planBounds = []struct {
	collection string
	columns    []string
}{
	{"plans", []string{"monthly_quota_tokens", "price_cents", "rate_limit_rpm", "max_concurrent_sessions"}},
	{"entitlements", []string{"rate_limit_rpm", "max_concurrent_sessions"}},
}

// The limits of plans and entitlements are from 0 on.
func init() {
	m.Register(func(app core.App) error {
		for _, bounded := range planBounds {
			collection, err := app.FindCollectionByNameOrId(bounded.collection)
			if err != nil {
				return err
			}
			for _, column := range bounded.columns {
				field, isNumber := collection.Fields.GetByName(column).(*core.NumberField)
				if !isNumber {
					return fmt.Errorf("%s has no number %s", bounded.collection, column)
				}
				field.Min, field.Max = pointer(0), pointer(maxLimit)
			}
			if err := app.Save(collection); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}
