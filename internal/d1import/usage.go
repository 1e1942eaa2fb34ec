package d1import

import (
	"fmt"

	"sokuji/internal/ledger"
)

// usageOf are the usage rows that name an entry of the same wallet as the one that
// paid for them.
func (i *importer) usageOf(entry *row) ([]*row, error) {
	const named = `WHERE t.ledger_id = ? AND t.ledger_id != '' AND t.subject_type = ? AND t.subject_id = ? ORDER BY t.pos`
	owner := []any{entry.value("id"), entry.value("subject_type"), entry.value("subject_id")}
	return i.staging.list(i.ctx, tableNamed("usage_logs"), named, owner, maxRowsPerUser)
}

func idsOf(rows []*row) []string {
	ids := make([]string, len(rows))
	for n, r := range rows {
		ids[n] = r.id()
	}
	return ids
}

// addUsage hands an entry its usage rows.
func (i *importer) addUsage(entry *ledger.ImportedEntry, rows []*row) {
	report := i.report.Table("usage_logs")
	seen := make(map[string]bool, len(rows))
	for _, r := range rows {
		i.done++
		usage, reason := i.usageRow(r)
		if reason == "" && seen[usage.ID] {
			reason = reasonTwice
		}
		if reason != "" {
			report.skip(reason, r.id())
			continue
		}
		if _, hasTime := parseInstant(r.value("created_at")); !hasTime {
			usage.CreatedAt = entry.At
		}
		r.tell(report)
		seen[usage.ID] = true
		entry.Usage = append(entry.Usage, usage)
	}
	entry.UsageSince = i.archivedBefore
}

const (
	reasonTakenID  = "its id is another row's"
	reasonArchived = "it is older than the usage archives of this server, where it may be already"
)

// settleUsage counts what became of a usage row.
func (i *importer) settleUsage(id string, state ledger.UsageState) {
	report := i.report.Table("usage_logs")
	switch state {
	case ledger.UsageTaken:
		report.skip(reasonTakenID, id)
	case ledger.UsageArchived:
		report.skip(reasonArchived, id)
	default:
		report.settle(state == ledger.UsageDone)
	}
}

func (i *importer) usageRow(r *row) (usage ledger.UsageRow, reason string) {
	id := r.text("id")
	if id == "" || len(id) > ledger.MaxReferenceBytes {
		return usage, fmt.Sprintf("it has no id, or one longer than %d bytes", ledger.MaxReferenceBytes)
	}
	usage = ledger.UsageRow{ID: id, Subject: r.subject(), CreatedAt: r.instant("created_at", i.now), Usage: ledger.Usage{
		Provider:             r.bounded("provider", ledger.MaxReferenceBytes),
		Model:                r.bounded("model", ledger.MaxReferenceBytes),
		Modality:             r.bounded("modality", ledger.MaxReferenceBytes),
		Endpoint:             r.bounded("endpoint", ledger.MaxReferenceBytes),
		Method:               r.bounded("method", ledger.MaxReferenceBytes),
		SessionID:            r.bounded("session_id", ledger.MaxReferenceBytes),
		RequestID:            r.bounded("request_id", ledger.MaxReferenceBytes),
		ResponseID:           r.bounded("response_id", ledger.MaxReferenceBytes),
		EventType:            r.bounded("event_type", ledger.MaxReferenceBytes),
		InputTokens:          r.count("input_tokens"),
		OutputTokens:         r.count("output_tokens"),
		TotalTokens:          r.count("total_tokens"),
		AdjustedInputTokens:  r.count("adjusted_input_tokens"),
		AdjustedOutputTokens: r.count("adjusted_output_tokens"),
		InputRatio:           r.ratio("input_ratio"),
		OutputRatio:          r.ratio("output_ratio"),
		Metadata:             r.json("metadata"),
	}}
	total := r.count("adjusted_total_tokens")
	if r.value("adjusted_total_tokens") != nil && total != usage.AdjustedInputTokens+usage.AdjustedOutputTokens {
		r.note("adjusted_total_tokens was not the sum of its two sides, and is now")
	}
	return usage, ""
}

// isUnpaid: no entry of its wallet is named.
const isUnpaid = `WHERE NOT EXISTS (SELECT 1 FROM d1_wallet_ledger l WHERE l.id = t.ledger_id AND t.ledger_id != ''
	AND l.subject_type = t.subject_type AND l.subject_id = t.subject_id AND l.subject_type IN ('user', 'organization'))
ORDER BY t.pos`

// strayUsage keeps usage rows that no entry paid for. They are logs, and in no sum.
func (i *importer) strayUsage() error {
	report := i.report.Table("usage_logs")
	if report.Read == report.Imported+report.AlreadyThere+report.Skipped {
		return nil // all of them were handled with their entries
	}
	var pending []ledger.UsageRow
	flush := func() error {
		states, err := ledger.ImportUsage(i.ctx, i.Store, pending)
		if err != nil {
			return fmt.Errorf("write usage rows: %w", err)
		}
		for n, state := range states {
			i.settleUsage(pending[n].ID, state)
		}
		pending = pending[:0]
		return nil
	}
	err := i.staging.each(i.ctx, tableNamed("usage_logs"), isUnpaid, nil, func(_ int64, r *row) error {
		usage, reason := i.usageRow(r)
		if reason == "" {
			reason = i.refuseUsage(usage)
		}
		if reason != "" {
			report.skip(reason, r.id())
			return i.step()
		}
		if r.text("ledger_id") != "" {
			r.note("the entry that it names is not in its wallet: it was kept without one")
		}
		r.tell(report)
		if pending = append(pending, usage); len(pending) >= batchRows {
			if err := flush(); err != nil {
				return err
			}
		}
		return i.step()
	})
	if err != nil {
		return err
	}
	return flush()
}

func (i *importer) refuseUsage(usage ledger.UsageRow) string {
	_, err := ledger.ParseSubject(string(usage.Subject.Type), usage.Subject.ID)
	switch {
	case err != nil:
		return reasonSubjectType
	case usage.CreatedAt.Before(i.archivedBefore):
		return reasonArchived
	}
	return ""
}
