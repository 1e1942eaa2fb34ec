// Package metering reads what a call asks for and what a provider says that its
// answer consumed.
//
// It owns the endpoints' formats, the way from their nested counts to the disjoint
// classes of the normal form, and the estimates where there are no counts yet.
// It must never do HTTP, read a clock or know PocketBase; never keep or name what
// a call was about; and never let a provider's numbers, however odd, become
// negative, overflow or count a token twice.
package metering

import "sokuji/internal/pricing"

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

// Endpoints lists every endpoint.
func Endpoints() []Endpoint {
	return []Endpoint{ChatCompletions, Responses, Embeddings, Transcriptions, Speech, Images, Messages, Realtime}
}

// Report is what a provider said one answer consumed.
type Report struct {
	Usage      pricing.Usage
	Found      bool     // the provider reported usage, an explicit zero included
	Anomalies  []string // what was odd about it, short and without content
	ResponseID string
}

// ParseBody reads the usage of a whole JSON answer. Of what is no JSON, or carries
// no usage, nothing is found.
func ParseBody(endpoint Endpoint, body []byte) Report {
	said, ok := readAnswer(body)
	if !ok {
		return Report{}
	}
	return said.report(endpoint)
}
