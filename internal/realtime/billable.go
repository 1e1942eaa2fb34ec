package realtime

import (
	"encoding/json"

	"sokuji/internal/metering"
)

// billable is an event of the provider that tells a cost.
type billable struct {
	kind, responseID, key string
	report                metering.Report
}

func parseBillable(message []byte) (billable, bool) {
	var said struct {
		Type    string `json:"type"`
		ItemID  string `json:"item_id"`
		EventID string `json:"event_id"`
	}
	if json.Unmarshal(message, &said) != nil {
		return billable{}, false
	}
	event := billable{kind: said.Type, report: metering.ParseBody(metering.Realtime, message)}
	switch said.Type {
	case eventResponseDone:
		event.responseID = responseIDOf(message)
		event.key = responseKey(event.responseID)
	case eventTranscriptionDone:
		event.key = said.Type + ":" + said.ItemID
	default:
		return billable{}, false
	}
	return event, true
}
