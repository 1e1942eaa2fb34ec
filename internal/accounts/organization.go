package accounts

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/sqlitestore"
)

// ProvisionOrganization gives a new organisation its wallet and its entitlement on
// the free plan, inside the transaction that makes it.
func ProvisionOrganization(tx dbx.Builder, id string, now time.Time) error {
	subject := ledger.Subject{Type: ledger.SubjectOrganization, ID: id}
	if err := sqlitestore.CreateWallet(tx, subject, now); err != nil {
		return fmt.Errorf("wallet: %w", err)
	}
	return entitle(tx, subject, now)
}

// RemoveOrganization takes the entitlement away, inside the transaction that
// deletes the organisation. The wallet and its ledger stay.
func RemoveOrganization(tx dbx.Builder, id string) error {
	return disentitle(tx, ledger.Subject{Type: ledger.SubjectOrganization, ID: id})
}

// entitle puts a subject on the free plan.
func entitle(tx dbx.Builder, subject ledger.Subject, now time.Time) error {
	result, err := tx.NewQuery(`
		INSERT INTO entitlements (id, subject_type, subject_id, plan_id, max_concurrent_sessions, rate_limit_rpm, rate_limit_tpm, allowed_models, features, updated_at)
		SELECT {:id}, {:type}, {:id}, id, max_concurrent_sessions, rate_limit_rpm, rate_limit_tpm, allowed_models, features, {:now} FROM plans WHERE id = {:plan}`).
		Bind(dbx.Params{"id": subject.ID, "type": string(subject.Type), "plan": FreePlan, "now": formatTime(now)}).Execute()
	if err != nil {
		return fmt.Errorf("entitlement: %w", err)
	}
	if created, err := result.RowsAffected(); err != nil || created != 1 {
		return fmt.Errorf("entitlement: the plan %s is missing (%v)", FreePlan, err)
	}
	return nil
}

func disentitle(tx dbx.Builder, subject ledger.Subject) error {
	_, err := tx.NewQuery(`DELETE FROM entitlements WHERE subject_id = {:id} AND subject_type = {:type}`).
		Bind(dbx.Params{"id": subject.ID, "type": string(subject.Type)}).Execute()
	if err != nil {
		return fmt.Errorf("remove an entitlement: %w", err)
	}
	return nil
}
