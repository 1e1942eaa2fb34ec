package hooks

import (
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"sokuji/internal/pricebook"
)

// bindPriceForm checks a new price, and gives it a moment of its own among those of
// its model: of two of the same moment only one holds, and nobody chose which. Rows
// never change, so a wrong one could not be put right.
func bindPriceForm(app core.App) {
	app.OnRecordCreateRequest(pricesCollection).BindFunc(checkNewPrice)
	app.OnRecordCreate(pricesCollection).BindFunc(func(e *core.RecordEvent) error {
		return inTransaction(e, func(tx core.App) error {
			moments, err := momentsOf(tx, e.Record)
			if err != nil {
				return err
			}
			if err := dateOfPrice(e.Record, moments, time.Now()); err != nil {
				return err
			}
			return e.Next()
		})
	})
}

// checkNewPrice refuses what could never hold as it is meant, when an admin enters it.
func checkNewPrice(e *core.RecordRequestEvent) error {
	price, err := priceOf(e.Record)
	if err != nil {
		return err
	}
	err = pricebook.CheckNew(price)
	if wrong, ok := errors.AsType[*pricebook.ColumnError](err); ok {
		err = invalidColumn(wrong.Column, errors.New(wrong.Text))
	}
	if err != nil {
		return notSaved(err)
	}
	if err := checkFeature(e.App, price.Feature); err != nil {
		return err
	}
	return e.Next()
}

// checkFeature refuses a feature that nobody has: a model that is misspelled so is
// closed to all.
func checkFeature(app core.App, feature string) error {
	if feature == "" {
		return nil
	}
	var known bool
	err := app.DB().NewQuery(`SELECT EXISTS (
		SELECT 1 FROM (SELECT features FROM plans UNION ALL SELECT features FROM entitlements) AS granted,
			json_each(CASE WHEN json_valid(granted.features) THEN granted.features ELSE '[]' END) AS one
		WHERE one.value = {:feature})`).Bind(dbx.Params{"feature": feature}).Row(&known)
	if err != nil || known {
		return err
	}
	return notSaved(invalidColumn("feature", fmt.Errorf(
		"is %.40q, which no plan has: write one as in the column features of plans, or add it to a plan first", feature)))
}

// momentsOf are those from which the prices of a record's model are in force, in
// Unix milliseconds.
func momentsOf(tx core.App, record *core.Record) (map[int64]bool, error) {
	// The first prices are seeded before the column match is there.
	rows, err := tx.FindAllRecords(pricesCollection, dbx.NewExp(
		"provider = {:provider} COLLATE NOCASE AND model = {:model}",
		dbx.Params{"provider": record.GetString("provider"), "model": record.GetString("model")}))
	if err != nil {
		return nil, err
	}
	moments := make(map[int64]bool)
	for _, row := range rows {
		if isPrefixPrice(row) == isPrefixPrice(record) {
			moments[effectiveFrom(row)] = true
		}
	}
	return moments, nil
}

// dateOfPrice puts a price without a moment in force now where its model has others:
// it is meant to follow them, not to have always held.
func dateOfPrice(record *core.Record, moments map[int64]bool, now time.Time) error {
	if record.GetDateTime("effective_from").IsZero() {
		if len(moments) == 0 {
			return nil
		}
		for moments[now.UnixMilli()] {
			now = now.Add(time.Millisecond)
		}
		moment, err := types.ParseDateTime(now)
		if err != nil {
			return err
		}
		record.Set("effective_from", moment)
		return nil
	}
	if moments[effectiveFrom(record)] {
		return invalidColumn("effective_from", errors.New(
			"is the moment of another price of this model, which would hold or not by chance: leave it empty for now, or give another moment"))
	}
	return nil
}

func effectiveFrom(record *core.Record) int64 {
	return record.GetDateTime("effective_from").Time().UnixMilli()
}

func isPrefixPrice(record *core.Record) bool {
	return record.GetString("match") == pricebook.MatchPrefix
}
