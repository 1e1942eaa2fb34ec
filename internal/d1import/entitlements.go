package d1import

import (
	"database/sql"
	"fmt"

	"sokuji/internal/accounts"
	"sokuji/internal/ledger"
)

// entitlement writes what a new subject may do: what the dump says, or the free
// plan. That of a subject who was here is left alone.
func (i *importer) entitlement(tx *sql.Tx, subject ledger.Subject, isNew bool) error {
	t, report := tableNamed("entitlements"), i.report.Table("entitlements")
	rows, err := i.staging.list(i.ctx, t, ofSubject, []any{string(subject.Type), subject.ID}, maxRowsPerUser)
	if err != nil {
		return err
	}
	isHere, err := exists(i.ctx, tx, `SELECT 1 FROM entitlements WHERE id = ? OR (subject_id = ? AND subject_type = ?)`,
		subject.ID, subject.ID, string(subject.Type))
	if err != nil {
		return err
	}
	for n, r := range rows {
		if err := i.step(); err != nil {
			return err
		}
		switch {
		case n > 0:
			report.skip(reasonSubjectTwice, r.id())
		case isHere:
			report.AlreadyThere++
		case !isNew:
			report.skip("its subject was here before, without one: that is left so", r.id())
		default:
			err = i.insertEntitlement(tx, subject, r)
			report.Imported++
		}
		if err != nil {
			return err
		}
		r.tell(report)
	}
	if len(rows) > 0 || isHere || !isNew {
		return nil
	}
	report.Made++
	return i.entitleFree(tx, subject)
}

func (i *importer) insertEntitlement(tx *sql.Tx, subject ledger.Subject, r *row) error {
	plan := r.text("plan_id")
	isKnown, err := exists(i.ctx, tx, `SELECT 1 FROM plans WHERE id = ?`, plan)
	if err != nil {
		return err
	}
	if !isKnown {
		r.note("its plan is not known: it got %s, with the limits that it had", accounts.FreePlan)
		plan = accounts.FreePlan
	}
	_, err = tx.ExecContext(i.ctx, `INSERT INTO entitlements
		(id, subject_type, subject_id, plan_id, max_concurrent_sessions, rate_limit_rpm, features, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, subject.ID, string(subject.Type), subject.ID, plan,
		r.countOr("max_concurrent_sessions", defaultSessions), r.countOr("rate_limit_rpm", defaultRPM), nullable(r.json("features")),
		stored(r.instantOr("updated_at", i.now)))
	if err != nil {
		return fmt.Errorf("insert the entitlement of %s: %w", subject.ID, err)
	}
	return nil
}

func (i *importer) entitleFree(tx *sql.Tx, subject ledger.Subject) error {
	_, err := tx.ExecContext(i.ctx, `INSERT INTO entitlements
		(id, subject_type, subject_id, plan_id, max_concurrent_sessions, rate_limit_rpm, rate_limit_tpm, allowed_models, features, updated_at)
		SELECT ?, ?, ?, id, max_concurrent_sessions, rate_limit_rpm, rate_limit_tpm, allowed_models, features, ? FROM plans WHERE id = ?`,
		subject.ID, string(subject.Type), subject.ID, stored(i.now), accounts.FreePlan)
	if err != nil {
		return fmt.Errorf("insert the entitlement of %s: %w", subject.ID, err)
	}
	return nil
}

// strayEntitlements counts those of nobody.
func (i *importer) strayEntitlements() error {
	t, report := tableNamed("entitlements"), i.report.Table("entitlements")
	return i.staging.each(i.ctx, t, `ORDER BY t.pos`, nil, func(_ int64, r *row) error {
		subject := r.subject()
		if _, err := ledger.ParseSubject(string(subject.Type), subject.ID); err != nil {
			report.skip(reasonSubjectType, r.id())
			return i.step()
		}
		if subject.Type == ledger.SubjectOrganization {
			return nil
		}
		isImported, err := i.isUserImported(subject.ID)
		if err != nil || isImported {
			return err
		}
		reason := "there is no user of its id"
		if wasDeleted, err := i.wasDeleted(subject.ID); err != nil {
			return err
		} else if wasDeleted {
			reason = reasonUserDeleted
		}
		report.skip(reason, r.id())
		return i.step()
	})
}
