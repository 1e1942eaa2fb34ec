package hooks

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// pagination tells where a page stands in its list.
type pagination struct {
	Limit      int64   `json:"limit"`
	Offset     int64   `json:"offset"`
	Total      int64   `json:"total"`
	HasMore    bool    `json:"hasMore"`
	NextCursor *string `json:"nextCursor"`
}

// goOn says that the list goes on after a place.
func (p *pagination) goOn(list, place string) {
	next := makeCursor(list, p.Total, place)
	p.HasMore, p.NextCursor = true, &next
}

// walletLedger lists a wallet's entries, newest first.
func (s *server) walletLedger(e *core.RequestEvent) error {
	subject, err := s.requireWalletReader(e)
	if err != nil {
		return err
	}
	if _, err := s.ledger.Wallet(e.Request.Context(), subject); err != nil {
		return err // an unknown wallet has no empty list
	}
	query, total, err := entryQuery(e, subject)
	if err != nil {
		return err
	}
	if wantsCSV(e) {
		return s.ledgerCSV(e, query)
	}
	page, err := s.store.Entries(e.Request.Context(), query)
	if err != nil {
		return err
	}
	rows := make([]entryJSON, 0, len(page.Rows))
	for _, entry := range page.Rows {
		rows = append(rows, showEntry(entry))
	}
	shown := pagination{Limit: query.Limit, Offset: query.Offset, Total: max(total, page.Total)}
	if page.More {
		shown.goOn(ledgerCursor, entryPlace(page.Rows[len(page.Rows)-1]))
	}
	return e.JSON(http.StatusOK, map[string]any{"ledger": rows, "pagination": shown})
}

// entryQuery also returns the total that a cursor brings along.
func entryQuery(e *core.RequestEvent, subject ledger.Subject) (query ledger.EntryQuery, total int64, err error) {
	values := e.Request.URL.Query()
	list, err := parseListQuery(values)
	if err != nil {
		return query, 0, err
	}
	query = ledger.EntryQuery{
		Subject: subject, EventType: ledger.EventType(values.Get("eventType")),
		From: list.from, To: list.to, Limit: list.limit, Offset: list.offset,
	}
	known := []ledger.EventType{"", ledger.EventMint, ledger.EventUse, ledger.EventRefund, ledger.EventAdjust}
	if !slices.Contains(known, query.EventType) {
		return query, 0, ledger.Invalid("eventType", fmt.Sprintf("eventType must be one of %v.", known[1:]))
	}
	if list.cursor == "" {
		return query, 0, nil
	}
	total, place, err := parseCursor(ledgerCursor, list.cursor)
	if err != nil {
		return query, 0, err
	}
	query.WithoutTotal = true
	query.BeforeSeq, err = parseEntryPlace(place)
	return query, total, err
}
