package hooks

import (
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
	"sokuji/internal/pricing"
)

const plansCollection = "plans"

// mintAnswer shows the entry and, for a mint by plan, what of the payment the
// plan did not need.
type mintAnswer struct {
	Success     bool      `json:"success"`
	LedgerEntry entryJSON `json:"ledgerEntry"`
	NewBalance  int64     `json:"newBalance"`
	UnusedCents *int64    `json:"unusedCents,omitempty"`
}

// walletMint adds tokens to a wallet: an amount, or what a payment for a plan is
// worth. Superusers only; the original let any user do it.
func (s *server) walletMint(e *core.RequestEvent) error {
	body, request, err := adminRequest(e)
	if err != nil {
		return err
	}
	mint, err := mintForm(e.App, body, request)
	if err != nil {
		return err
	}
	receipt, err := s.do(e, mint)
	if mint.ByPlan {
		s.entitlements.Drop(mint.Subject) // after an error too: it may be on disk
	}
	if err != nil {
		return err
	}
	answer := mintAnswer{Success: true, LedgerEntry: showEntry(*receipt.Entry), NewBalance: receipt.Wallet.Balance}
	if mint.ByPlan {
		unused := ledger.UnusedCents(*receipt.Entry)
		answer.UnusedCents = &unused
	}
	return e.JSON(http.StatusOK, answer)
}

func mintForm(app core.App, body *fields, request ledger.Request) (ledger.Mint, error) {
	mint := ledger.Mint{
		Request:         request,
		PlanID:          body.text("planId"),
		ExternalEventID: body.text("externalEventId"),
		Description:     body.text("description"),
		ReferenceType:   "manual",
	}
	mint.ExpiresAt = body.instant("expiresAt")
	if !body.has("amountCents") {
		mint.Amount = body.amount("amount")
		if body.err != nil || mint.PlanID == "" {
			return mint, body.err
		}
		_, err := findPlan(app, mint.PlanID) // named for the record, nobody moves
		return refusable(mint, err)
	}
	body.refuse("amount", "amount and amountCents exclude each other: send amount, or planId with amountCents.")
	mint.ByPlan, mint.PaidCents = true, body.integer("amountCents")
	mint.ReferenceType, mint.ReferenceID = "plan", mint.PlanID
	if mint.PlanID == "" {
		body.fail("planId", "planId is missing: amountCents says what was paid for a plan.")
	}
	if body.err != nil {
		return mint, body.err
	}
	err := priceByPlan(app, &mint)
	return refusable(mint, err)
}

// refusable lets a mint that the plan does not allow any more reach the ledger,
// which may have done it before.
func refusable(mint ledger.Mint, err error) (ledger.Mint, error) {
	if ledger.CodeOf(err) == "" {
		return mint, err
	}
	mint.Refusal = err
	return mint, nil
}

// priceByPlan fills in what a payment for a plan mints, and the entitlement that
// comes with it.
func priceByPlan(app core.App, mint *ledger.Mint) error {
	plan, err := findPlan(app, mint.PlanID)
	if err != nil {
		return err
	}
	tokens, unused, err := pricing.PlanGrant(
		int64(plan.GetInt("monthly_quota_tokens")), mint.PaidCents, int64(plan.GetInt("price_cents")))
	if err != nil {
		return ledger.Invalid("amountCents", "amountCents must be a whole number of cents, 0 or more.")
	}
	mint.Amount = tokens
	mint.Metadata = ledger.PlanPayment(mint.PaidCents, unused)
	mint.Plan = &ledger.PlanChange{
		PlanID:                plan.Id,
		MaxConcurrentSessions: int64(plan.GetInt("max_concurrent_sessions")),
		RateLimitRPM:          int64(plan.GetInt("rate_limit_rpm")),
		RateLimitTPM:          int64(plan.GetInt("rate_limit_tpm")),
		AllowedModels:         json.RawMessage(plan.GetString("allowed_models")),
		Features:              json.RawMessage(plan.GetString("features")),
	}
	return nil
}

func findPlan(app core.App, id string) (*core.Record, error) {
	plan, err := app.FindRecordById(plansCollection, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ledger.Invalid("planId", "planId names no plan: the plans are listed in the collection plans.")
	}
	return plan, err
}
