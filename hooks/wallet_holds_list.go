package hooks

import (
	"net/http"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// walletHolds lists a wallet's holds, newest first, to those who may make them.
func (s *server) walletHolds(e *core.RequestEvent) error {
	subject, err := s.requireHoldReader(e)
	if err != nil {
		return err
	}
	if _, err := s.ledger.Wallet(e.Request.Context(), subject); err != nil {
		return err
	}
	query, total, err := holdQuery(e, subject)
	if err != nil {
		return err
	}
	page, err := s.store.Holds(e.Request.Context(), query)
	if err != nil {
		return err
	}
	rows := make([]holdJSON, 0, len(page.Rows))
	for _, hold := range page.Rows {
		rows = append(rows, showHold(hold))
	}
	shown := pagination{Limit: query.Limit, Offset: query.Offset, Total: max(total, page.Total)}
	if page.More {
		shown.goOn(holdsCursor, page.Rows[len(page.Rows)-1].ID)
	}
	return e.JSON(http.StatusOK, map[string]any{"holds": rows, "pagination": shown})
}

// requireHoldReader admits those who spend: a superuser and a key with the scope.
func (s *server) requireHoldReader(e *core.RequestEvent) (ledger.Subject, error) {
	c, err := requireSpender(e)
	if err != nil {
		return ledger.Subject{}, err
	}
	named, isNamed, err := subjectOfQuery(e.Request.URL.Query())
	if err != nil {
		return ledger.Subject{}, err
	}
	return s.enter(e, c, named, isNamed, adminOnly)
}

// holdQuery also returns the total that a cursor brings along.
func holdQuery(e *core.RequestEvent, subject ledger.Subject) (query ledger.HoldQuery, total int64, err error) {
	values := e.Request.URL.Query()
	list, err := parseListQuery(values)
	if err != nil {
		return query, 0, err
	}
	query = ledger.HoldQuery{
		Subject: subject, State: ledger.HoldState(values.Get("state")), Limit: list.limit, Offset: list.offset,
	}
	known := []ledger.HoldState{"", ledger.HoldOpen, ledger.HoldSettled, ledger.HoldReleased, ledger.HoldExpired}
	if !slices.Contains(known, query.State) {
		return query, 0, ledger.Invalid("state", "state must be open, settled, released or expired.")
	}
	if list.cursor == "" {
		return query, 0, nil
	}
	query.WithoutTotal = true
	total, query.BeforeID, err = parseCursor(holdsCursor, list.cursor)
	return query, total, err
}
