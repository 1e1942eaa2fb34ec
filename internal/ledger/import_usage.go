package ledger

// addUsage adds a usage row to what will be written, unless there is one of its id.
func (r *importRun) addUsage(row UsageRow) (UsageState, error) {
	there, found, err := r.usageRow(row.ID)
	switch {
	case err != nil:
		return UsageTaken, err
	case found && row.isCopyOf(there):
		return UsageKnown, nil
	case found:
		return UsageTaken, nil
	}
	r.usage[row.ID] = &row
	r.changes.Usage = append(r.changes.Usage, &row)
	return UsageDone, nil
}

func (r *importRun) usageRow(id string) (UsageRow, bool, error) {
	if row, known := r.usage[id]; known {
		return *row, true, nil
	}
	if r.isFresh {
		return UsageRow{}, false, nil
	}
	return r.tx.Usage(id)
}

// addMissingUsage adds the usage rows of an entry that is in the books already, of
// those that are not, such as when an earlier dump had none. The uses are in the
// roll-ups, and their tokens follow.
func (r *importRun) addMissingUsage(entry *Entry, imported ImportedEntry) ([]UsageState, error) {
	states := make([]UsageState, len(imported.Usage))
	unpaid := chargeOf(entry)
	for n, row := range imported.Usage {
		row.Subject, row.LedgerID = entry.Subject, entry.ID
		there, found, err := r.usageRow(row.ID)
		switch {
		case err != nil:
			return nil, err
		case found && !row.isCopyOf(there):
			states[n] = UsageTaken
			continue
		case found:
			states[n] = UsageKnown
		case !entry.IsImported() || row.CreatedAt.Before(imported.UsageSince):
			states[n] = UsageArchived // an entry of our own always had its row
		default:
			continue
		}
		unpaid = 0 // that one has what was charged
	}
	var tokens UsageTotals
	for n, row := range imported.Usage {
		if states[n] != UsageDone {
			continue
		}
		row.Subject, row.LedgerID, row.ChargedTokens = entry.Subject, entry.ID, unpaid
		state, err := r.addUsage(row)
		if err != nil {
			return nil, err
		}
		if states[n] = state; state == UsageDone {
			unpaid = 0
			tokens.plus(tokensOf(row))
		}
	}
	if entry.EventType == EventUse && tokens != (UsageTotals{}) {
		r.rollups.add(entry, tokens)
	}
	return states, nil
}

// chargeOf is what a use took; a usage row that names a mint or a refund charged
// nothing.
func chargeOf(entry *Entry) int64 {
	if entry.EventType != EventUse {
		return 0
	}
	return -entry.Amount
}

func tokensOf(row UsageRow) UsageTotals {
	return UsageTotals{InputTokens: row.InputTokens, OutputTokens: row.OutputTokens}
}

// isCopyOf tells whether a row that is here says of a use what an imported one does.
// Times, ratios and JSON are not compared: an import may have had to replace them.
// Nor is the entry, where one of the two names none.
func (u UsageRow) isCopyOf(there UsageRow) bool {
	return (u.LedgerID == there.LedgerID || u.LedgerID == "" || there.LedgerID == "") && u.facts() == there.facts()
}

// usageFacts are what tells two uses apart.
type usageFacts struct {
	subject                                             Subject
	provider, model, modality, endpoint, method         string
	sessionID, requestID, responseID, eventType         string
	input, output, total, adjustedInput, adjustedOutput int64
}

func (u UsageRow) facts() usageFacts {
	return usageFacts{
		u.Subject, u.Provider, u.Model, u.Modality, u.Endpoint, u.Method, u.SessionID, u.RequestID, u.ResponseID, u.EventType,
		u.InputTokens, u.OutputTokens, u.TotalTokens, u.AdjustedInputTokens, u.AdjustedOutputTokens,
	}
}
