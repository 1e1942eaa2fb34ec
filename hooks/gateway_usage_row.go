package hooks

import (
	"encoding/json"
	"strings"
	"time"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/pricing"
)

// maxLoggedContentBytes bounds what is kept of each side's text, where the operator
// keeps any.
const maxLoggedContentBytes = 4 * 1024

// callMetadata is what a usage row says of a call beside its columns.
type callMetadata struct {
	Upstream          string         `json:"upstream"`
	UpstreamModel     string         `json:"upstreamModel,omitempty"`
	ProviderRequestID string         `json:"providerRequestId,omitempty"`
	Anomalies         []string       `json:"anomalies,omitempty"`
	Content           *loggedContent `json:"content,omitempty"`
}

// loggedContent is kept only where GATEWAY_LOG_CONTENT says so.
type loggedContent struct {
	Request string `json:"request"`
	Answer  string `json:"answer"`
}

// describe puts the facts of the call on its usage row.
func (c *call) describe(row *ledger.Usage, upstream gateway.Upstream, result outcome, status int) {
	row.Endpoint, row.EventType = "/v1/"+string(c.route.endpoint), string(c.route.endpoint)
	row.RequestID, row.ResponseID = c.id, result.responseID
	about := callMetadata{
		Upstream: upstream.Name, ProviderRequestID: c.providerID, Anomalies: result.anomalies,
	}
	row.CallFacts = ledger.CallFacts{
		APIKey: c.caller.grant.ID,
		Counts: encodeCounts(result.usage), Status: int64(status), SettledBy: result.settledBy,
		FirstByteMS: c.firstByte.Milliseconds(), DurationMS: time.Since(c.started).Milliseconds(),
	}
	if upstream.Model != upstream.Asked {
		about.UpstreamModel = upstream.Model
	}
	row.Metadata = c.encode(about)
}

func encodeCounts(usage pricing.Usage) json.RawMessage {
	encoded, err := json.Marshal(usage)
	if err != nil {
		return nil // integers always encode
	}
	return encoded
}

// keepContent keeps the beginning of an answer where the operator keeps contents.
func (c *call) keepContent(piece []byte) {
	if room := maxLoggedContentBytes - len(c.answered); c.server.config.Gateway.LogContent && room > 0 {
		c.answered = append(c.answered, piece[:min(len(piece), room)]...)
	}
}

// encode makes the metadata fit the ledger's bound: of the content less is kept,
// because escapes make it longer.
func (c *call) encode(about callMetadata) json.RawMessage {
	for limit := maxLoggedContentBytes; ; limit /= 2 {
		if c.server.config.Gateway.LogContent && limit > 0 {
			about.Content = &loggedContent{Request: cut(c.content.text(), limit), Answer: cut(c.answered, limit)}
		} else {
			about.Content = nil
		}
		encoded, err := json.Marshal(about)
		if err != nil {
			return nil // texts and numbers always encode
		}
		if len(encoded) <= ledger.MaxMetadataBytes || about.Content == nil {
			return encoded
		}
	}
}

func cut(text []byte, limit int) string {
	return strings.ToValidUTF8(string(text[:min(len(text), limit)]), "")
}
