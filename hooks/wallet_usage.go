package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// walletUsage lists a wallet's uses, newest first.
func (s *server) walletUsage(e *core.RequestEvent) error {
	subject, err := s.requireWalletReader(e)
	if err != nil {
		return err
	}
	if _, err := s.ledger.Wallet(e.Request.Context(), subject); err != nil {
		return err // an unknown wallet has no empty list
	}
	query, total, err := usageQuery(e, subject)
	if err != nil {
		return err
	}
	if wantsCSV(e) {
		return s.usageCSV(e, query)
	}
	page, err := s.store.Usage(e.Request.Context(), query)
	if err != nil {
		return err
	}
	rows := make([]usageJSON, 0, len(page.Rows))
	for _, row := range page.Rows {
		rows = append(rows, showUsage(row))
	}
	shown := pagination{Limit: query.Limit, Offset: query.Offset, Total: max(total, page.Total)}
	if page.More {
		shown.goOn(usageCursor, usagePlace(page.Rows[len(page.Rows)-1]))
	}
	return e.JSON(http.StatusOK, map[string]any{"usage": rows, "pagination": shown})
}

// usageQuery also returns the total that a cursor brings along.
func usageQuery(e *core.RequestEvent, subject ledger.Subject) (query ledger.UsageQuery, total int64, err error) {
	values := e.Request.URL.Query()
	list, err := parseListQuery(values)
	if err != nil {
		return query, 0, err
	}
	query = ledger.UsageQuery{
		Subject: subject, Model: values.Get("model"), EventType: values.Get("eventType"),
		From: list.from, To: list.to, Limit: list.limit, Offset: list.offset,
	}
	if list.cursor == "" {
		return query, 0, nil
	}
	total, place, err := parseCursor(usageCursor, list.cursor)
	if err != nil {
		return query, 0, err
	}
	query.WithoutTotal = true
	query.Before, err = parseUsagePlace(place)
	return query, total, err
}
