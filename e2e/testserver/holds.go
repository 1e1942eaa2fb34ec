package testserver

import (
	"context"
	"net/http"
	"net/url"
)

// HoldOp is an operation on a hold of a user's wallet. The zero fields are not
// sent.
type HoldOp struct {
	UserID           string
	HoldID           string // of every operation but opening one
	Amount           int64  // reserved, added or charged, in tokens
	ExpiresInSeconds int64
	Reference        string // of a hold that is opened
	Description      string // of the entry that settles one
	IdempotencyKey   string
}

// Hold is a hold as the server shows it.
type Hold struct {
	ID        string `json:"id"`
	Amount    int64  `json:"amount"`
	State     string `json:"state"`
	ExpiresAt string `json:"expiresAt"`
	Reference string `json:"reference"`
}

// HoldReceipt is the answer to opening, extending or releasing a hold.
type HoldReceipt struct {
	Hold     Hold // zero after a release
	Balance  int64
	Held     int64
	Replayed bool // the header Idempotent-Replayed
}

// OpenHold reserves tokens until a deadline.
func (s *Server) OpenHold(ctx context.Context, op HoldOp) (HoldReceipt, error) {
	return s.doHold(ctx, "/api/wallet/holds", http.StatusCreated, op)
}

// ExtendHold adds tokens to a hold, or moves its deadline.
func (s *Server) ExtendHold(ctx context.Context, op HoldOp) (HoldReceipt, error) {
	return s.doHold(ctx, op.path("extend"), http.StatusOK, op)
}

// ReleaseHold closes a hold without a charge.
func (s *Server) ReleaseHold(ctx context.Context, op HoldOp) (HoldReceipt, error) {
	return s.doHold(ctx, op.path("release"), http.StatusOK, op)
}

// SettleHold closes a hold with what was really used.
func (s *Server) SettleHold(ctx context.Context, op HoldOp) (Receipt, error) {
	var body moneyBody
	answer, err := s.post(ctx, op.path("settle"), http.StatusOK, "", op.IdempotencyKey, op.fields(), &body)
	return body.receipt(answer), err
}

func (s *Server) doHold(ctx context.Context, path string, status int, op HoldOp) (HoldReceipt, error) {
	var body struct {
		Hold    Hold  `json:"hold"`
		Balance int64 `json:"balance"`
		Held    int64 `json:"held"`
	}
	answer, err := s.post(ctx, path, status, "", op.IdempotencyKey, op.fields(), &body)
	return HoldReceipt{Hold: body.Hold, Balance: body.Balance, Held: body.Held, Replayed: replayed(answer)}, err
}

func (op HoldOp) path(verb string) string {
	return "/api/wallet/holds/" + url.PathEscape(op.HoldID) + "/" + verb
}

func (op HoldOp) fields() map[string]any {
	fields := map[string]any{}
	for name, number := range map[string]int64{"amount": op.Amount, "expiresInSeconds": op.ExpiresInSeconds} {
		if number != 0 {
			fields[name] = number
		}
	}
	for name, text := range map[string]string{"userId": op.UserID, "reference": op.Reference, "description": op.Description} {
		if text != "" {
			fields[name] = text
		}
	}
	return fields
}
