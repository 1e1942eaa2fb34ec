package testserver

import (
	"context"
	"fmt"
	"net/http"
)

// BatchUse is one use of a batch.
type BatchUse struct {
	Amount         int64  `json:"amount"`
	Description    string `json:"description,omitempty"`
	IdempotencyKey string `json:"idempotencyKey,omitempty"`
}

// BatchResult is what became of one use of a batch.
type BatchResult struct {
	Success bool
	Code    string // of a refusal
	Entry   Entry
	Balance int64 // posted balance after the use
}

// BatchReceipt is the answer to a batch of uses: a result for each, in order.
type BatchReceipt struct {
	Results  []BatchResult
	Replayed bool // the header Idempotent-Replayed
}

// UseBatch takes tokens from a user's wallet for many uses at once.
func (s *Server) UseBatch(ctx context.Context, userID, idempotencyKey string, uses []BatchUse) (BatchReceipt, error) {
	var body struct {
		Results []struct {
			moneyBody
			Success bool   `json:"success"`
			Code    string `json:"code"`
		} `json:"results"`
	}
	answer, err := s.post(ctx, "/api/wallet/use/batch", http.StatusOK, "", idempotencyKey,
		map[string]any{"userId": userID, "uses": uses}, &body)
	if err != nil {
		return BatchReceipt{}, err
	}
	if len(body.Results) != len(uses) {
		return BatchReceipt{}, fmt.Errorf("a batch of %d uses has %d results", len(uses), len(body.Results))
	}
	receipt := BatchReceipt{Replayed: replayed(answer)}
	for _, result := range body.Results {
		shown := result.receipt(answer)
		receipt.Results = append(receipt.Results, BatchResult{
			Success: result.Success, Code: result.Code, Entry: shown.Entry, Balance: shown.Balance,
		})
	}
	return receipt, nil
}
