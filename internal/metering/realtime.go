package metering

import "strconv"

// The events of a realtime session that tell a cost.
const (
	RealtimeResponseDone      = "response.done"
	RealtimeTranscriptionDone = "conversation.item.input_audio_transcription.completed"
)

// RealtimeEvent is a message of a realtime session that tells a cost. Its counts
// are its own: they add up, other than those of a stream.
type RealtimeEvent struct {
	Type       string
	ResponseID string // of response.done
	// DedupeKey is the same for the same cost, however often it is told. Empty: the
	// provider named nothing to know it by.
	DedupeKey string
	Report    Report
}

// ParseRealtimeEvent reads a message of the provider. billable tells whether it is
// one that carries a bill, whatever became of the response.
func ParseRealtimeEvent(message []byte) (event RealtimeEvent, billable bool) {
	said, ok := readAnswer(message)
	if !ok {
		return RealtimeEvent{}, false
	}
	event = RealtimeEvent{Type: said.Type, Report: said.report(Realtime)}
	switch said.Type {
	case RealtimeResponseDone:
		event.ResponseID = said.Response.ID
		if event.ResponseID != "" {
			event.DedupeKey = "response:" + event.ResponseID
		}
	case RealtimeTranscriptionDone:
		event.Report.ResponseID = ""
		event.DedupeKey = RealtimeTranscriptionKey(said.ItemID, said.ContentIndex.value)
	default:
		return RealtimeEvent{}, false
	}
	return event, true
}

// RealtimeTranscriptionKey is the DedupeKey of a transcription.
func RealtimeTranscriptionKey(itemID string, contentIndex int64) string {
	if itemID == "" {
		return ""
	}
	return "item:" + itemID + ":" + strconv.FormatInt(contentIndex, 10)
}
