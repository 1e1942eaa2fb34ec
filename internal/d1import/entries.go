package d1import

import (
	"encoding/json"
	"fmt"

	"sokuji/internal/ledger"
)

// entryOf reads a row of a wallet's ledger, or says why it cannot be an entry.
func (i *importer) entryOf(r *row, subject ledger.Subject) (entry ledger.ImportedEntry, reason string) {
	amount, ok := r.tokens("amount_tokens")
	switch {
	case !ok:
		return entry, "its amount_tokens is no number"
	case amount > ledger.MaxAmountTokens || amount < -ledger.MaxAmountTokens:
		return entry, "its amount_tokens is beyond 10^15"
	case r.text("id") == "":
		return entry, "it has no id"
	case r.text("id") != textOf(r.value("id")):
		return entry, "its id is not UTF-8"
	case r.subject() != subject:
		return entry, "its subject_id is not UTF-8"
	case len(r.text("id")) > ledger.MaxReferenceBytes:
		return entry, fmt.Sprintf("its id is longer than %d bytes", ledger.MaxReferenceBytes)
	}
	entry = ledger.ImportedEntry{
		Subject:         subject,
		ID:              r.text("id"),
		At:              r.instant("created_at", i.now),
		Amount:          amount,
		ReferenceType:   r.bounded("reference_type", ledger.MaxReferenceBytes),
		ReferenceID:     r.bounded("reference_id", ledger.MaxReferenceBytes),
		PlanID:          r.bounded("plan_id", ledger.MaxReferenceBytes),
		ExternalEventID: r.event("external_event_id"),
		Description:     r.bounded("description", ledger.MaxDescriptionBytes),
		Metadata:        r.json("metadata"),
	}
	entry.EventType, entry.Metadata = eventType(r, entry.Metadata)
	return entry, ""
}

// eventType is one of the four that the ledger knows. Any other becomes an
// adjustment that says in its metadata what it was.
func eventType(r *row, metadata json.RawMessage) (ledger.EventType, json.RawMessage) {
	switch known := ledger.EventType(r.text("event_type")); known {
	case ledger.EventMint, ledger.EventUse, ledger.EventRefund, ledger.EventAdjust:
		return known, metadata
	}
	original := r.bounded("event_type", maxNameBytes)
	r.note("its event_type is none of the ledger's: it became an adjust, and metadata says what it was")
	wrapped, err := json.Marshal(map[string]any{"importedEventType": original, "importedMetadata": metadata})
	if err != nil {
		return ledger.EventAdjust, metadata
	}
	return ledger.EventAdjust, wrapped
}
