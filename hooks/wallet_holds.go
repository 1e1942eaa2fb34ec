package hooks

import (
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// holdJSON is a hold as clients see it.
type holdJSON struct {
	ID        string           `json:"id"`
	Amount    int64            `json:"amount"`
	State     ledger.HoldState `json:"state"`
	ExpiresAt string           `json:"expiresAt"`
	Reference *string          `json:"reference"`
	CreatedAt string           `json:"createdAt"`
	ClosedAt  *string          `json:"closedAt"`
	LedgerID  *string          `json:"ledgerId"`
}

func showHold(h ledger.HoldRow) holdJSON {
	shown := holdJSON{
		ID: h.ID, Amount: h.Amount, State: h.State, ExpiresAt: isoTime(h.ExpiresAt), Reference: textOrNil(h.Reference),
		CreatedAt: isoTime(h.CreatedAt), LedgerID: textOrNil(h.LedgerID),
	}
	if !h.ClosedAt.IsZero() {
		shown.ClosedAt = textOrNil(isoTime(h.ClosedAt))
	}
	return shown
}

// holdAnswer is what opening and extending a hold answer; releasing one leaves
// the hold out.
type holdAnswer struct {
	Success   bool      `json:"success"`
	Hold      *holdJSON `json:"hold,omitempty"`
	Balance   int64     `json:"balance"`
	Held      int64     `json:"held"`
	Available int64     `json:"available"`
}

func showHoldReceipt(receipt ledger.Receipt) holdAnswer {
	hold := showHold(*receipt.Hold)
	standing := receipt.Wallet
	return holdAnswer{
		Success: true, Hold: &hold,
		Balance: standing.Balance, Held: standing.Held, Available: standing.Balance - standing.Held,
	}
}

// walletHold reserves tokens for a cost that is not known yet.
func (s *server) walletHold(e *core.RequestEvent) error {
	body, _, request, err := s.spendRequest(e, maxBodyBytes)
	if err != nil {
		return err
	}
	hold := ledger.Hold{
		Request: request, Amount: body.amount("amount"),
		Duration: body.duration("expiresInSeconds"), Reference: body.text("reference"),
	}
	if body.err != nil {
		return body.err
	}
	if hold.Duration == 0 {
		hold.Duration = ledger.DefaultHoldDuration
	}
	receipt, err := s.do(e, hold)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusCreated, showHoldReceipt(receipt))
}

// walletHoldExtend adds tokens to an open hold, or moves its deadline.
func (s *server) walletHoldExtend(e *core.RequestEvent) error {
	body, request, err := s.holdRequest(e)
	if err != nil {
		return err
	}
	extend := ledger.Extend{Request: request, HoldID: holdID(e), Duration: body.duration("expiresInSeconds")}
	if body.has("amount") {
		extend.Amount = body.amount("amount")
	}
	if body.err != nil {
		return body.err
	}
	receipt, err := s.do(e, extend)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, showHoldReceipt(receipt))
}

// walletHoldSettle closes a hold with what was really used.
func (s *server) walletHoldSettle(e *core.RequestEvent) error {
	body, request, err := s.holdRequest(e)
	if err != nil {
		return err
	}
	cost := s.readCost(e.Request.Context(), request.Subject, body, body.amountOrZero)
	settle := ledger.Settle{
		Request: request, HoldID: holdID(e), Amount: cost.amount, ByPrice: cost.byPrice, Usage: cost.usage,
		Description: body.text("description"), Metadata: cost.usage.Metadata,
	}
	settle.Refusal = cost.refusal
	if body.err != nil {
		return body.err
	}
	receipt, err := s.do(e, settle)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, showUse(receipt))
}

// walletHoldRelease closes a hold; nothing is charged.
func (s *server) walletHoldRelease(e *core.RequestEvent) error {
	_, request, err := s.holdRequest(e)
	if err != nil {
		return err
	}
	receipt, err := s.do(e, ledger.Release{Request: request, HoldID: holdID(e)})
	if err != nil {
		return err
	}
	answer := showHoldReceipt(receipt)
	answer.Hold = nil
	return e.JSON(http.StatusOK, answer)
}

func holdID(e *core.RequestEvent) string { return e.Request.PathValue("id") }

// holdRequest opens a route about one hold. The hold says whose wallet it is in,
// so the body need not; to those who may not spend from there it does not exist.
func (s *server) holdRequest(e *core.RequestEvent) (*fields, ledger.Request, error) {
	c, body, err := spendBody(e, maxBodyBytes)
	if err != nil {
		return nil, ledger.Request{}, err
	}
	named, isNamed, err := subjectOfBody(body)
	if err != nil {
		return nil, ledger.Request{}, err
	}
	if !isNamed {
		named, err = s.ownerOfHold(e, c)
	} else {
		err = s.mayEnterWallet(e, c, named, anyMember)
	}
	return body, request(e, c, named), err
}

func (s *server) ownerOfHold(e *core.RequestEvent, c caller) (ledger.Subject, error) {
	hold, found, err := s.store.Hold(e.Request.Context(), holdID(e))
	if err != nil {
		return ledger.Subject{}, err
	}
	if found {
		err := s.mayEnterWallet(e, c, hold.Subject, anyMember)
		if err == nil || refusalOf(err).status != http.StatusForbidden {
			return hold.Subject, err
		}
	}
	return ledger.Subject{}, &ledger.Error{
		Code: ledger.CodeHoldNotFound, Field: "id", Message: "There is no such hold in a wallet of yours.",
	}
}

// duration reads a whole number of seconds; a missing field is 0.
func (f *fields) duration(name string) time.Duration {
	if !f.has(name) {
		return 0
	}
	const most = int64(ledger.MaxHoldDuration / time.Second)
	seconds := f.integer(name)
	if f.err == nil && (seconds < 1 || seconds > most) {
		f.fail(name, name+" must be a whole number of seconds from 1 to "+decimal(most)+".")
		return 0
	}
	return time.Duration(seconds) * time.Second
}
