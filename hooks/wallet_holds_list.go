package hooks

import (
	"net/http"
	"slices"
	"strings"

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
	query, err := holdQuery(e, subject)
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
	shown := pagination{Limit: query.Limit, Offset: query.Offset, Total: page.Total, HasMore: page.More}
	if page.More {
		next := encodeCursor(holdCursorMark + page.Rows[len(page.Rows)-1].ID)
		shown.NextCursor = &next
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

// holdCursorMark keeps a cursor of another list from meaning something here.
const holdCursorMark = "h"

func holdQuery(e *core.RequestEvent, subject ledger.Subject) (ledger.HoldQuery, error) {
	values := e.Request.URL.Query()
	list, err := parseListQuery(values)
	if err != nil {
		return ledger.HoldQuery{}, err
	}
	query := ledger.HoldQuery{
		Subject: subject, State: ledger.HoldState(values.Get("state")), Limit: list.limit, Offset: list.offset,
	}
	known := []ledger.HoldState{"", ledger.HoldOpen, ledger.HoldSettled, ledger.HoldReleased, ledger.HoldExpired}
	if !slices.Contains(known, query.State) {
		return query, ledger.Invalid("state", "state must be open, settled, released or expired.")
	}
	if list.cursor == "" {
		return query, nil
	}
	id, ours := strings.CutPrefix(list.cursor, holdCursorMark)
	if !ours || id == "" {
		return query, badCursor()
	}
	query.BeforeID = id
	return query, nil
}
