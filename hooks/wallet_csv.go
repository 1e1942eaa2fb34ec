package hooks

import (
	"strconv"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// A CSV has every row that the filters select, newest first, under the names of
// the JSON. limit, offset and cursor are for pages and do not count here.

var entryColumns = []string{
	"id", "seq", "subjectType", "subjectId", "amountTokens", "balanceAfter", "eventType", "referenceType", "referenceId",
	"planId", "externalEventId", "description", "metadata", "createdAt", "prevHash", "hash",
}

func (s *server) ledgerCSV(e *core.RequestEvent, query ledger.EntryQuery) error {
	query.Limit, query.Offset, query.BeforeSeq, query.WithoutTotal = csvStepRows, 0, 0, true
	return streamCSV(e, "ledger", entryColumns, func() ([][]string, bool, error) {
		page, err := s.store.Entries(e.Request.Context(), query)
		if err != nil {
			return nil, false, err
		}
		rows := make([][]string, 0, len(page.Rows))
		for _, entry := range page.Rows {
			rows = append(rows, entryRow(entry))
			query.BeforeSeq = entry.Seq
		}
		return rows, page.More, nil
	})
}

func entryRow(e ledger.Entry) []string {
	return []string{
		e.ID, decimal(e.Seq), string(e.Subject.Type), e.Subject.ID, decimal(e.Amount), decimal(e.BalanceAfter), string(e.EventType),
		csvText(e.ReferenceType), csvText(e.ReferenceID), csvText(e.PlanID), csvText(e.ExternalEventID), csvText(e.Description),
		csvText(string(e.Metadata)), isoTime(e.CreatedAt), e.PrevHash.String(), e.Hash.String(),
	}
}

var usageColumns = []string{
	"id", "provider", "model", "modality", "endpoint", "method", "inputTokens", "outputTokens", "totalTokens", "durationMs",
	"adjustedInputTokens", "adjustedOutputTokens", "adjustedTotalTokens", "inputRatio", "outputRatio", "chargedTokens", "priceId",
	"sessionId", "requestId", "responseId", "eventType", "ledgerId", "metadata", "createdAt",
	"apiKeyId", "counts", "firstByteMs", "callDurationMs", "status", "settledBy",
}

func (s *server) usageCSV(e *core.RequestEvent, query ledger.UsageQuery) error {
	query.Limit, query.Offset, query.Before, query.WithoutTotal = csvStepRows, 0, ledger.UsagePosition{}, true
	return streamCSV(e, "usage", usageColumns, func() ([][]string, bool, error) {
		page, err := s.store.Usage(e.Request.Context(), query)
		if err != nil {
			return nil, false, err
		}
		rows := make([][]string, 0, len(page.Rows))
		for _, usage := range page.Rows {
			rows = append(rows, usageCells(usage))
			query.Before = ledger.UsagePosition{CreatedAt: usage.CreatedAt, ID: usage.ID}
		}
		return rows, page.More, nil
	})
}

func usageCells(u ledger.UsageRow) []string {
	return []string{
		u.ID, csvText(u.Provider), csvText(u.Model), csvText(u.Modality), csvText(u.Endpoint), csvText(u.Method),
		decimal(u.InputTokens), decimal(u.OutputTokens), decimal(u.TotalTokens), decimal(u.Milliseconds),
		decimal(u.AdjustedInputTokens), decimal(u.AdjustedOutputTokens), decimal(u.AdjustedInputTokens + u.AdjustedOutputTokens),
		u.InputRatio, u.OutputRatio, decimal(u.ChargedTokens), u.PriceID,
		csvText(u.SessionID), csvText(u.RequestID), csvText(u.ResponseID), csvText(u.EventType), u.LedgerID,
		csvText(string(u.Metadata)), isoTime(u.CreatedAt),
		u.APIKey, csvText(string(u.Counts)), decimal(u.FirstByteMS), decimal(u.DurationMS), decimal(u.Status), string(u.SettledBy),
	}
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
