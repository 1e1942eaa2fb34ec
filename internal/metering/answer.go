package metering

import (
	"encoding/json"
	"errors"
	"strings"
)

// maxResponseIDBytes bounds what is kept of a provider's own name for an answer.
const maxResponseIDBytes = 200

// answer is the part of a provider's answer, or of one event of it, that matters
// for the bill. Everything else is passed over without being kept.
type answer struct {
	Type  string    `json:"type"`
	ID    string    `json:"id"`
	Usage *rawUsage `json:"usage"`
	// ItemID and ContentIndex are of realtime's transcriptions.
	ItemID       string     `json:"item_id"`
	ContentIndex count      `json:"content_index"`
	Duration     duration   `json:"duration"` // of a verbose transcription
	Response     innerUsage `json:"response"` // of events of responses and realtime
	Message      innerUsage `json:"message"`  // of message_start
	Groq         innerUsage `json:"x_groq"`   // where Groq puts the usage of a stream
}

type innerUsage struct {
	ID    string    `json:"id"`
	Usage *rawUsage `json:"usage"`
}

// rawUsage has the names of every dialect: servers that speak one of them often
// borrow from another.
type rawUsage struct {
	Prompt     count `json:"prompt_tokens"`
	Completion count `json:"completion_tokens"`
	Input      count `json:"input_tokens"`
	Output     count `json:"output_tokens"`
	Total      count `json:"total_tokens"`

	PromptDetails     details `json:"prompt_tokens_details"`
	CompletionDetails details `json:"completion_tokens_details"`
	InputDetails      details `json:"input_tokens_details"` // responses, images
	OutputDetails     details `json:"output_tokens_details"`
	InputDetail       details `json:"input_token_details"` // realtime, transcriptions
	OutputDetail      details `json:"output_token_details"`
	PromptCacheHit    count   `json:"prompt_cache_hit_tokens"` // DeepSeek

	CacheRead     count `json:"cache_read_input_tokens"` // Anthropic, beside input_tokens
	CacheCreation count `json:"cache_creation_input_tokens"`
	CacheWrites   struct {
		FiveMinutes count `json:"ephemeral_5m_input_tokens"`
		OneHour     count `json:"ephemeral_1h_input_tokens"`
	} `json:"cache_creation"`
	ServerTools struct {
		WebSearches count `json:"web_search_requests"`
		WebFetches  count `json:"web_fetch_requests"`
	} `json:"server_tool_use"`

	// Iterations are the model calls of one answer of Anthropic's. Those that compact
	// the context or ask another model are in no other count.
	Iterations []rawUsage `json:"iterations"`

	Type    string   `json:"type"` // of a transcription: tokens or duration
	Seconds duration `json:"seconds"`
}

type details struct {
	Text          count         `json:"text_tokens"`
	Audio         count         `json:"audio_tokens"`
	Image         count         `json:"image_tokens"`
	Cached        count         `json:"cached_tokens"`
	CacheWrite    count         `json:"cache_write_tokens"`
	Reasoning     count         `json:"reasoning_tokens"`
	CachedDetails cachedDetails `json:"cached_tokens_details"`
}

type cachedDetails struct {
	Text  count `json:"text_tokens"`
	Audio count `json:"audio_tokens"`
	Image count `json:"image_tokens"`
}

// readAnswer reads an answer or an event. A member of another type than expected is
// passed over; only what is no JSON object at all cannot be read.
func readAnswer(text []byte) (answer, bool) {
	var said answer
	err := json.Unmarshal(text, &said)
	if _, isOtherType := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !isOtherType {
		return answer{}, false
	}
	return said, true
}

// usage is the usage of the answer, wherever its dialect puts it.
func (a answer) usage() *rawUsage {
	for _, usage := range []*rawUsage{a.Response.Usage, a.Message.Usage, a.Usage, a.Groq.Usage} {
		if usage != nil {
			return usage
		}
	}
	return nil
}

// responseID is the provider's own name for the answer.
func (a answer) responseID() string {
	for _, id := range []string{a.Response.ID, a.Message.ID, a.ID} {
		if id != "" {
			return strings.ToValidUTF8(id[:min(len(id), maxResponseIDBytes)], "")
		}
	}
	return ""
}

// report brings the usage of a whole answer to the normal form.
func (a answer) report(endpoint Endpoint) Report {
	usage := a.usage()
	if usage == nil {
		usage = &rawUsage{}
	}
	if endpoint == Transcriptions && !usage.isSeen() && a.Duration.isSeen {
		usage.Seconds = a.Duration // whisper's older answers say it only there
	}
	report := usage.report(endpoint)
	report.ResponseID = a.responseID()
	return report
}
