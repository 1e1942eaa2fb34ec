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

// walletLedger lists a wallet's entries, newest first.
func (s *server) walletLedger(e *core.RequestEvent) error {
	subject, err := s.requireWalletReader(e)
	if err != nil {
		return err
	}
	if _, err := s.ledger.Wallet(e.Request.Context(), subject); err != nil {
		return err // an unknown wallet has no empty list
	}
	query, err := entryQuery(e, subject)
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
	shown := pagination{Limit: query.Limit, Offset: query.Offset, Total: page.Total, HasMore: page.More}
	if page.More {
		next := entryCursor(page.Rows[len(page.Rows)-1].Seq)
		shown.NextCursor = &next
	}
	return e.JSON(http.StatusOK, map[string]any{"ledger": rows, "pagination": shown})
}

func entryQuery(e *core.RequestEvent, subject ledger.Subject) (ledger.EntryQuery, error) {
	values := e.Request.URL.Query()
	list, err := parseListQuery(values)
	if err != nil {
		return ledger.EntryQuery{}, err
	}
	query := ledger.EntryQuery{
		Subject: subject, EventType: ledger.EventType(values.Get("eventType")),
		From: list.from, To: list.to, Limit: list.limit, Offset: list.offset,
	}
	known := []ledger.EventType{"", ledger.EventMint, ledger.EventUse, ledger.EventRefund, ledger.EventAdjust}
	if !slices.Contains(known, query.EventType) {
		return query, ledger.Invalid("eventType", fmt.Sprintf("eventType must be one of %v.", known[1:]))
	}
	if list.cursor != "" {
		query.BeforeSeq, err = parseEntryCursor(list.cursor)
	}
	return query, err
}
