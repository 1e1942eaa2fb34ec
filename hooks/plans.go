package hooks

import (
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// maxCarriedRows bounds the entitlements that one statement changes.
const maxCarriedRows = 1_000

// bindPlanLimits carries an edit of a plan to those who are on it, in the same
// transaction. What an admin set apart for somebody, which is no longer the plan's,
// stays as it is.
func bindPlanLimits(app core.App) {
	app.OnRecordUpdate(plansCollection).BindFunc(func(e *core.RecordEvent) error {
		return inTransaction(e, func(tx core.App) error {
			before, err := tx.FindRecordById(plansCollection, e.Record.Id)
			if err != nil {
				return err
			}
			if err := e.Next(); err != nil {
				return err
			}
			for _, name := range planLimits {
				if err := carryLimit(tx, name, before, e.Record, time.Now()); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// carryLimit moves the entitlements that have a plan's old limit to its new one. They
// are written by SQL, because each saved record costs as much as there are clients
// connected.
func carryLimit(tx core.App, name string, before, after *core.Record, now time.Time) error {
	if before.GetString(name) == after.GetString(name) {
		return nil
	}
	query := `UPDATE entitlements SET ` + name + ` = (SELECT ` + name + ` FROM plans WHERE id = {:plan}), updated_at = {:now}
		WHERE rowid IN (
			SELECT e.rowid FROM entitlements e, plans p
			WHERE e.plan_id = {:plan} AND p.id = {:plan}
				AND ` + sameLimit("e."+name, "{:old}") + ` AND NOT ` + sameLimit("e."+name, "p."+name) + `
			LIMIT {:most})`
	for {
		result, err := tx.DB().NewQuery(query).Bind(dbx.Params{
			"plan": after.Id, "old": before.GetString(name), "now": storedTime(now), "most": maxCarriedRows,
		}).Execute()
		if err != nil {
			return err
		}
		changed, err := result.RowsAffected()
		if err != nil || changed < maxCarriedRows {
			return err
		}
	}
}

// sameLimit compares two limits in SQL: numbers, or lists however they are written,
// of which none, null and an empty one are the same.
func sameLimit(a, b string) string { return "(" + plainLimit(a) + " = " + plainLimit(b) + ")" }

func plainLimit(value string) string {
	text := `CAST(COALESCE(` + value + `, '') AS TEXT)`
	plain := `CASE WHEN json_valid(` + text + `) THEN json(` + text + `) ELSE ` + text + ` END`
	return `CASE WHEN (` + plain + `) IN ('', 'null', '""', '[]') THEN '' ELSE (` + plain + `) END`
}
