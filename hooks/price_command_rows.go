package hooks

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/tools/types"

	"sokuji/internal/ledger"
	"sokuji/internal/pricebook"
	"sokuji/internal/pricing"
)

// eachRow calls a function with every row of a query.
func eachRow(ctx context.Context, tx *sql.Tx, query string, arguments []any, use func(scan func(...any) error) error) (err error) {
	rows, err := tx.QueryContext(ctx, query, arguments...)
	if err != nil {
		return schemaError(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := use(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// schemaError says what to do with a file that an older program wrote.
func schemaError(err error) error {
	if strings.Contains(err.Error(), "no such column") || strings.Contains(err.Error(), "no such table") {
		return fmt.Errorf("these books are of an older version: start this version's server on them once (%w)", err)
	}
	return err
}

// priceRows reads the price book of a database.
func priceRows(ctx context.Context, tx *sql.Tx) ([]pricing.Price, error) {
	classes := pricing.Classes()
	names := make([]string, 0, len(classes))
	for _, class := range classes {
		names = append(names, string(class))
	}
	var prices []pricing.Price
	query := "SELECT id, provider, model, match, feature, margin_ppm, effective_from, " + strings.Join(names, ", ") + " FROM prices ORDER BY rowid"
	err := eachRow(ctx, tx, query, nil, func(scan func(...any) error) error {
		var price pricing.Price
		var match, from string
		rates := make([]int64, len(classes))
		targets := []any{&price.ID, &price.Provider, &price.Model, &match, &price.Feature, &price.MarginPPM, &from}
		for i := range rates {
			targets = append(targets, &rates[i])
		}
		if err := scan(targets...); err != nil {
			return err
		}
		price.Prefix = match == pricebook.MatchPrefix
		var err error
		if price.EffectiveFrom, err = parseStoredTime(from); err != nil {
			return fmt.Errorf("price %s: %w", price.ID, err)
		}
		price.Rates, err = ratesOf(classes, rates)
		prices = append(prices, price)
		return err
	})
	return prices, err
}

func parseStoredTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.Parse(types.DefaultDateLayout, text)
}

// planMargin is the margin of a plan, in parts per million; 0: it has none.
func planMargin(ctx context.Context, tx *sql.Tx, plan string) (margin int64, err error) {
	err = tx.QueryRowContext(ctx, "SELECT margin_ppm FROM plans WHERE id = ?", plan).Scan(&margin)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("there is no plan %q: the plans are in the collection plans", plan)
	}
	if err != nil {
		return 0, schemaError(err)
	}
	return margin, nil
}

// usedRow is a recorded use with what it was counted in.
type usedRow struct {
	pricebook.Used
	counts, modality string
	input, output    int64
	milliseconds     int64
}

// usage is what the use was counted in. Rows from before classes were kept know
// only the sides and the modality.
func (r usedRow) usage() (usage pricing.Usage, err error) {
	if r.counts != "" && r.counts != "null" {
		return usage, json.Unmarshal([]byte(r.counts), &usage)
	}
	return classes(ledger.Usage{Modality: r.modality, InputTokens: r.input, OutputTokens: r.output, Milliseconds: r.milliseconds}), nil
}

// eachUse calls a function with every use of the newest days.
func eachUse(ctx context.Context, tx *sql.Tx, since time.Time, use func(pricebook.Used) error) error {
	const query = `
		SELECT COALESCE(p.id, ''), COALESCE(p.margin_ppm, 0), u.provider, u.model, u.modality, COALESCE(u.counts, ''),
			u.input_tokens, u.output_tokens, u.duration_ms, u.charged_tokens
		FROM usage_logs u
		LEFT JOIN entitlements e ON e.subject_id = u.subject_id AND e.subject_type = u.subject_type
		LEFT JOIN plans p ON p.id = e.plan_id
		WHERE u.created_at >= ?`
	return eachRow(ctx, tx, query, []any{storedTime(since)}, func(scan func(...any) error) error {
		var row usedRow
		err := scan(&row.Plan, &row.PlanMarginPPM, &row.Provider, &row.Model, &row.modality, &row.counts,
			&row.input, &row.output, &row.milliseconds, &row.Charged)
		if err != nil {
			return err
		}
		if row.Usage, err = row.usage(); err != nil {
			return fmt.Errorf("the counts of a use of %s: %w", row.Model, err)
		}
		return use(row.Used)
	})
}
