package testserver

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// Op is an operation on a user's wallet. The zero fields are not sent.
type Op struct {
	UserID          string
	Amount          int64
	LedgerID        string // of the entry that a refund reverses
	ExternalEventID string // of a mint
	Description     string
	IdempotencyKey  string
	ExpiresAt       string // of a mint, RFC 3339
	// Token is who asks; the superuser when empty.
	Token string
}

// Entry is a ledger row as the server shows it.
type Entry struct {
	ID              string          `json:"id"`
	Seq             int64           `json:"seq"`
	SubjectType     string          `json:"subjectType"`
	SubjectID       string          `json:"subjectId"`
	AmountTokens    int64           `json:"amountTokens"`
	BalanceAfter    int64           `json:"balanceAfter"`
	EventType       string          `json:"eventType"`
	ReferenceType   string          `json:"referenceType"`
	ReferenceID     string          `json:"referenceId"`
	PlanID          string          `json:"planId"`
	ExternalEventID string          `json:"externalEventId"`
	Description     string          `json:"description"`
	Metadata        json.RawMessage `json:"metadata"`
	CreatedAt       string          `json:"createdAt"`
	PrevHash        string          `json:"prevHash"`
	Hash            string          `json:"hash"`
}

// Receipt is the answer to an Op.
type Receipt struct {
	Entry    Entry
	Balance  int64 // posted balance after the operation
	Replayed bool  // the header Idempotent-Replayed
}

// Balance is what GET /api/wallet/balance says.
type Balance struct {
	Balance   int64 `json:"balance"`
	Held      int64 `json:"held"`
	Available int64 `json:"available"`
	Frozen    bool  `json:"frozen"`
}

// Mint adds tokens to a wallet. Every status but 200 is a *StatusError.
func (s *Server) Mint(ctx context.Context, op Op) (Receipt, error) {
	return s.do(ctx, "/api/wallet/mint", op)
}

// Use takes tokens from a wallet.
func (s *Server) Use(ctx context.Context, op Op) (Receipt, error) {
	return s.do(ctx, "/api/wallet/use", op)
}

// Refund reverses the entry LedgerID, whole when there is no Amount.
func (s *Server) Refund(ctx context.Context, op Op) (Receipt, error) {
	return s.do(ctx, "/api/wallet/refund", op)
}

func (s *Server) do(ctx context.Context, path string, op Op) (Receipt, error) {
	var body moneyBody
	answer, err := s.post(ctx, path, http.StatusOK, op.Token, op.IdempotencyKey, op.fields(), &body)
	return body.receipt(answer), err
}

// moneyBody is what the answers of all operations with an entry have in common.
type moneyBody struct {
	LedgerEntry Entry  `json:"ledgerEntry"`
	NewBalance  *int64 `json:"newBalance"`
	Remaining   *int64 `json:"remaining"`
}

func (b moneyBody) receipt(answer Answer) Receipt {
	receipt := Receipt{Entry: b.LedgerEntry, Replayed: replayed(answer)}
	for _, balance := range []*int64{b.NewBalance, b.Remaining} {
		if balance != nil {
			receipt.Balance = *balance
		}
	}
	return receipt
}

func replayed(answer Answer) bool { return answer.Header.Get("Idempotent-Replayed") == "true" }

// post sends an operation as the superuser, unless there is a token, and decodes
// an answer of the status that means success. Any other is a *StatusError.
func (s *Server) post(ctx context.Context, path string, success int, token, idempotencyKey string, fields, target any) (Answer, error) {
	if token == "" {
		var err error
		if token, err = s.Superuser(ctx); err != nil {
			return Answer{}, err
		}
	}
	request := Request{Method: http.MethodPost, Path: path, Token: token, Body: fields}
	if idempotencyKey != "" {
		request.Header = http.Header{"Idempotency-Key": {idempotencyKey}}
	}
	return s.callJSON(ctx, request, success, target)
}

func (op Op) fields() map[string]any {
	fields := map[string]any{}
	if op.Amount != 0 {
		fields["amount"] = op.Amount
	}
	for name, text := range map[string]string{
		"userId": op.UserID, "ledgerId": op.LedgerID,
		"externalEventId": op.ExternalEventID, "description": op.Description,
		"expiresAt": op.ExpiresAt,
	} {
		if text != "" {
			fields[name] = text
		}
	}
	return fields
}

// Balance reads a user's wallet as the superuser.
func (s *Server) Balance(ctx context.Context, userID string) (Balance, error) {
	token, err := s.Superuser(ctx)
	if err != nil {
		return Balance{}, err
	}
	var balance Balance
	_, err = s.CallJSON(ctx, Request{Path: "/api/wallet/balance?userId=" + url.QueryEscape(userID), Token: token}, &balance)
	return balance, err
}

// pageRows is the largest page that the server gives.
const pageRows = 500

// Ledger reads all entries of a user's wallet, page by page, as the superuser.
// They come in the order in which they happened.
func (s *Server) Ledger(ctx context.Context, userID string) ([]Entry, error) {
	token, err := s.Superuser(ctx)
	if err != nil {
		return nil, err
	}
	query := url.Values{"userId": {userID}, "limit": {strconv.Itoa(pageRows)}}
	var entries []Entry
	for {
		var page struct {
			Ledger     []Entry `json:"ledger"`
			Pagination struct {
				NextCursor *string `json:"nextCursor"`
			} `json:"pagination"`
		}
		if _, err := s.CallJSON(ctx, Request{Path: "/api/wallet/ledger?" + query.Encode(), Token: token}, &page); err != nil {
			return nil, err
		}
		entries = append(entries, page.Ledger...)
		if page.Pagination.NextCursor == nil {
			slices.Reverse(entries)
			return entries, nil
		}
		query.Set("cursor", *page.Pagination.NextCursor)
	}
}
