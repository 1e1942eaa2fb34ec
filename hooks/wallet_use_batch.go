package hooks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// maxBatchBodyBytes bounds the body of a batch: about 2 KB a use.
const maxBatchBodyBytes = 2 << 20

// failedUse is the result of a use that was refused while others were not.
type failedUse struct {
	Success bool   `json:"success"`
	Error   string `json:"error"`
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// walletUseBatch takes tokens from one wallet for many uses, in one transaction.
// Each use is allowed or refused by itself.
func (s *server) walletUseBatch(e *core.RequestEvent) error {
	body, c, request, err := s.spendRequest(e, maxBatchBodyBytes)
	if err != nil {
		return err
	}
	items, err := batchItems(body)
	if err != nil {
		return err
	}
	uses := ledger.UseBatch{Request: request, Uses: make([]ledger.Use, 0, len(items))}
	for _, item := range items {
		uses.Uses = append(uses.Uses, s.batchUse(e.Request.Context(), c, request.Subject, item))
	}
	results, replayed, err := s.ledger.DoUses(e.Request.Context(), uses)
	if err != nil {
		return err
	}
	if replayed {
		e.Response.Header().Set("Idempotent-Replayed", "true")
	}
	return e.JSON(http.StatusOK, map[string]any{"results": showResults(results)})
}

func batchItems(body *fields) ([]json.RawMessage, error) {
	const message = "uses must be a list of 1 to %d objects, each with what a use takes."
	var items []json.RawMessage
	if !body.has("uses") || json.Unmarshal(body.raw["uses"], &items) != nil || len(items) < 1 || len(items) > ledger.MaxBatchUses {
		return nil, ledger.Invalid("uses", fmt.Sprintf(message, ledger.MaxBatchUses))
	}
	return items, nil
}

// batchUse reads one use. What is wrong with it becomes its refusal, so that it
// fails alone; its text stays part of what the batch is.
func (s *server) batchUse(ctx context.Context, c caller, payer ledger.Subject, item json.RawMessage) ledger.Use {
	body, err := parseFields(item)
	if err != nil {
		return brokenUse(item, ledger.Invalid("uses", "Each of uses must be a JSON object, such as {\"amount\":1}."))
	}
	for _, name := range []string{"userId", "subjectType", "subjectId"} {
		body.refuse(name, name+" belongs beside uses, not into them: a batch is about one wallet.")
	}
	use, err := s.useForm(ctx, payer, body, ledger.Request{IdempotencyKey: body.text("idempotencyKey")})
	if err == nil {
		err = body.err
	}
	if err == nil && use.AllowNegative && c.kind != superuser {
		err = &ledger.Error{Code: ledger.CodeForbidden, Field: "allowNegative", Message: "allowNegative is for superusers only."}
	}
	if err != nil {
		return brokenUse(item, err)
	}
	return use
}

// brokenUse carries a refusal. It has no key, because it can never be done.
func brokenUse(item json.RawMessage, refusal error) ledger.Use {
	use := ledger.Use{Metadata: item}
	use.Refusal = refusal
	return use
}

func showResults(results []ledger.Result) []any {
	shown := make([]any, 0, len(results))
	for _, result := range results {
		if result.Err == nil {
			shown = append(shown, showUse(result.Receipt))
			continue
		}
		r := refusalOf(result.Err)
		shown = append(shown, failedUse{Error: r.title, Code: r.code, Field: r.field, Message: r.message})
	}
	return shown
}
