package migrations

import (
	"database/sql"
	"errors"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Plans are seeded once: what an admin edits later stays.
func init() {
	m.Register(func(app core.App) error {
		collection := newCollection("plans",
			integer("monthly_quota_tokens"),
			integer("price_cents"),
			object("features"),
			integer("rate_limit_rpm"),
			integer("max_concurrent_sessions"),
			createdAt(),
			updatedAt(),
		)
		visible(collection, "")
		if err := app.Save(collection); err != nil {
			return err
		}
		for _, plan := range seedPlans {
			if err := seedPlan(app, collection, plan); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}

type planSeed struct {
	id                string
	monthlyTokens     int
	priceCents        int
	requestsPerMinute int
	sessions          int
	features          []string
}

var seedPlans = []planSeed{
	{"free_plan", 0, 0, 60, 1, []string{"basic"}},
	{"starter_plan", 10_000_000, 1_000, 120, 2, []string{"basic", "priority_support"}},
	{"essentials_plan", 20_000_000, 2_000, 180, 3, []string{"basic", "priority_support", "advanced_models"}},
	{"pro_plan", 50_000_000, 5_000, 300, 5, []string{"basic", "priority_support", "advanced_models", "api_access"}},
	{"business_plan", 100_000_000, 10_000, 600, 10, allFeatures},
	{"enterprise_plan", 500_000_000, 50_000, 1_200, 50, allFeatures},
	{"unlimited_plan", 999_999_999, 99_999, 9_999, 100, allFeatures},
}

var allFeatures = []string{"basic", "priority_support", "advanced_models", "api_access", "team_features"}

func seedPlan(app core.App, collection *core.Collection, plan planSeed) error {
	_, err := app.FindRecordById(collection, plan.id)
	if err == nil {
		return nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	record := core.NewRecord(collection)
	record.Id = plan.id
	record.Set("monthly_quota_tokens", plan.monthlyTokens)
	record.Set("price_cents", plan.priceCents)
	record.Set("rate_limit_rpm", plan.requestsPerMinute)
	record.Set("max_concurrent_sessions", plan.sessions)
	record.Set("features", plan.features)
	return app.Save(record)
}
