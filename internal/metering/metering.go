// Package metering reads what a call asks for and what a provider says that its
// answer consumed.
//
// It owns the endpoints' formats and the way from their counts to the normal form.
// It must never do HTTP, read a clock or know PocketBase.
package metering

import (
	"encoding/json"
	"fmt"

	"sokuji/internal/pricing"
)

// Endpoint is a route of the gateway, without its /v1/.
type Endpoint string

// The endpoints.
const (
	ChatCompletions Endpoint = "chat/completions"
	Responses       Endpoint = "responses"
	Embeddings      Endpoint = "embeddings"
	Transcriptions  Endpoint = "audio/transcriptions"
	Speech          Endpoint = "audio/speech"
	Images          Endpoint = "images/generations"
	Messages        Endpoint = "messages"
	Realtime        Endpoint = "realtime"
)

// Report is what a provider said one answer consumed.
type Report struct {
	Usage      pricing.Usage
	Found      bool     // the provider reported usage, an explicit zero included
	Anomalies  []string // short, without content
	ResponseID string
}

// Ask is what a JSON request asks for.
type Ask struct {
	Model                string
	Stream, IncludeUsage bool
	Estimate             pricing.Usage // an upper estimate
	MaxOutput            int64
}

// defaultMaxOutput is the output that is reserved where the request names no bound.
const defaultMaxOutput = 4096

// ReadAsk reads a request's body. Its error names the field.
func ReadAsk(endpoint Endpoint, body []byte) (Ask, error) {
	var said struct {
		Model         string `json:"model"`
		Stream        bool   `json:"stream"`
		StreamOptions struct {
			IncludeUsage bool `json:"include_usage"`
		} `json:"stream_options"`
		MaxTokens           int64 `json:"max_tokens"`
		MaxCompletionTokens int64 `json:"max_completion_tokens"`
		MaxOutputTokens     int64 `json:"max_output_tokens"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return Ask{}, fmt.Errorf("body: %w", err)
	}
	if said.Model == "" {
		return Ask{}, fmt.Errorf("model is missing: name the model to call")
	}
	ask := Ask{Model: said.Model, Stream: said.Stream, IncludeUsage: said.StreamOptions.IncludeUsage}
	ask.MaxOutput = max(said.MaxTokens, said.MaxCompletionTokens, said.MaxOutputTokens)
	if ask.MaxOutput <= 0 {
		ask.MaxOutput = defaultMaxOutput
	}
	ask.Estimate = pricing.Usage{InText: int64(len(body))/2 + 1, OutText: ask.MaxOutput}
	if endpoint == Embeddings {
		ask.Estimate.OutText = 0
	}
	return ask, nil
}

// EstimateAudio is an upper estimate of a transcription.
func EstimateAudio(fileBytes int64) pricing.Usage {
	return pricing.Usage{Milliseconds: fileBytes + 1}
}

// ParseBody reads a whole JSON answer.
func ParseBody(endpoint Endpoint, body []byte) Report {
	meter := NewMeter(endpoint)
	meter.Event(body)
	return meter.Report()
}

// Meter reads a stream.
type Meter struct {
	endpoint Endpoint
	report   Report
	counted  int64
}

// NewMeter starts to read a stream.
func NewMeter(endpoint Endpoint) *Meter { return &Meter{endpoint: endpoint} }

// Event reads the data of one event.
func (m *Meter) Event(data []byte) {
	m.counted += int64(len(data)) / 200
	type counts struct {
		Prompt     int64 `json:"prompt_tokens"`
		Completion int64 `json:"completion_tokens"`
		Input      int64 `json:"input_tokens"`
		Output     int64 `json:"output_tokens"`
	}
	var said struct {
		ID       string  `json:"id"`
		Usage    *counts `json:"usage"`
		Response struct {
			ID    string  `json:"id"`
			Usage *counts `json:"usage"`
		} `json:"response"`
		Message struct {
			ID    string  `json:"id"`
			Usage *counts `json:"usage"`
		} `json:"message"`
	}
	if json.Unmarshal(data, &said) != nil {
		return
	}
	m.counted++
	for _, id := range []string{said.ID, said.Response.ID, said.Message.ID} {
		if id != "" {
			m.report.ResponseID = id
		}
	}
	for _, usage := range []*counts{said.Usage, said.Response.Usage, said.Message.Usage} {
		if usage != nil {
			in := max(usage.Prompt, usage.Input, m.report.Usage.InText)
			m.report.Usage = pricing.Usage{InText: in, OutText: max(usage.Completion, usage.Output)}
			m.report.Found = true
		}
	}
}

// Report is the provider's last word.
func (m *Meter) Report() Report { return m.report }

// Counted is our own count of the output so far.
func (m *Meter) Counted() pricing.Usage { return pricing.Usage{OutText: m.counted} }
