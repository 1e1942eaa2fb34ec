package hooks

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unique"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

const entitlementsCollection = "entitlements"

// entitlement is what a subject may do. The zero value, of a subject without a
// row, may do nothing beyond the free plan's least.
type entitlement struct {
	planID                string
	maxConcurrentSessions int64
	rateLimitRPM          int64
	rateLimitTPM          int64
	features              string // a JSON list of texts, or what an admin wrote there
	allowedModels         string // likewise
	monthlyQuotaTokens    int64
	marginPPM             int64 // of the plan; 0: the operator's holds
}

// entitlementOf reads what a subject may do, as new as the last commit.
func (s *server) entitlementOf(ctx context.Context, subject ledger.Subject) (entitlement, error) {
	known, cached, ticket := s.entitlements.Get(subject)
	if cached {
		return known.Value(), nil
	}
	found, err := s.loadEntitlement(ctx, subject)
	if err != nil {
		return found, err
	}
	subject.ID = strings.Clone(subject.ID) // it may be a piece of a whole request
	s.entitlements.Fill(subject, unique.Make(found), ticket)
	return found, nil
}

func (s *server) loadEntitlement(ctx context.Context, subject ledger.Subject) (entitlement, error) {
	var e entitlement
	err := s.reader.QueryRowContext(ctx, `
		SELECT e.plan_id, e.max_concurrent_sessions, e.rate_limit_rpm, e.rate_limit_tpm,
			COALESCE(e.allowed_models, ''), COALESCE(e.features, ''), p.monthly_quota_tokens, p.margin_ppm
		FROM entitlements e JOIN plans p ON p.id = e.plan_id
		WHERE e.subject_id = ? AND e.subject_type = ?`, subject.ID, string(subject.Type)).
		Scan(&e.planID, &e.maxConcurrentSessions, &e.rateLimitRPM, &e.rateLimitTPM, &e.allowedModels, &e.features, &e.monthlyQuotaTokens, &e.marginPPM)
	if errors.Is(err, sql.ErrNoRows) {
		return entitlement{}, nil
	}
	if err != nil {
		return entitlement{}, fmt.Errorf("read an entitlement: %w", err)
	}
	return e, nil
}

// featuresOf lists the features of an entitlement, never nil.
func (s *server) featuresOf(subject ledger.Subject, granted entitlement) []string {
	features := []string{}
	if granted.features == "" {
		return features
	}
	if err := json.Unmarshal([]byte(granted.features), &features); err != nil || features == nil {
		// An admin may have written anything there; nothing is not a feature.
		s.app.Logger().Warn("The features of an entitlement are not a list of texts",
			slog.String("subject", subject.ID), slog.Any("error", err))
		return []string{}
	}
	return features
}

// bindEntitlementCache makes an admin's change to a plan or an entitlement hold
// from the next request on.
func bindEntitlementCache(app core.App, s *server) {
	clear := func(e *core.RecordEvent) error {
		s.entitlements.Clear()
		return e.Next()
	}
	for _, name := range []string{entitlementsCollection, plansCollection} {
		app.OnRecordAfterCreateSuccess(name).BindFunc(clear)
		app.OnRecordAfterUpdateSuccess(name).BindFunc(clear)
		app.OnRecordAfterDeleteSuccess(name).BindFunc(clear)
	}
}

// planLimits are the columns that an entitlement has from its plan.
var planLimits = []string{"max_concurrent_sessions", "rate_limit_rpm", "rate_limit_tpm", "allowed_models", "features"}

// bindEntitlementPlans brings a plan's limits along when an admin moves somebody
// to it: those that the admin did not set by hand in the same save. A form that
// was opened before a payment moved the subject is refused, because PocketBase
// saves every column and would move it back.
func bindEntitlementPlans(app core.App) {
	app.OnRecordUpdate(entitlementsCollection).BindFunc(func(e *core.RecordEvent) error {
		return inTransaction(e, func(tx core.App) error {
			before := e.Record.Original()
			stored, err := tx.FindRecordById(entitlementsCollection, e.Record.Id)
			if err == nil && stored.GetString("updated_at") != before.GetString("updated_at") {
				return apis.NewBadRequestError("This entitlement was changed meanwhile, by a payment or by another admin: load it again.", nil)
			}
			takePlanLimits(tx, before, e.Record)
			return e.Next()
		})
	})
}

func takePlanLimits(tx core.App, before, after *core.Record) {
	if before.GetString("plan_id") == after.GetString("plan_id") {
		return
	}
	plan, err := tx.FindRecordById(plansCollection, after.GetString("plan_id"))
	if err != nil {
		return // the relation's own check says what is wrong
	}
	for _, name := range planLimits {
		if before.GetString(name) == after.GetString(name) {
			after.Set(name, plan.Get(name))
		}
	}
}

// planName is a plan's id as the original's later clients know it.
func planName(planID string) string {
	return strings.TrimSuffix(planID, "_plan")
}
