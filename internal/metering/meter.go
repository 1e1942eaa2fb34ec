package metering

import (
	"bytes"

	"sokuji/internal/pricing"
)

// Meter reads the events of one stream. It is for one goroutine.
type Meter struct {
	endpoint Endpoint
	report   Report
	merged   rawUsage // of Anthropic, whose events complete each other
	output   outputCounter
}

// NewMeter starts to read a stream.
func NewMeter(endpoint Endpoint) *Meter {
	return &Meter{endpoint: endpoint, output: outputCounter{members: outputMembers[endpoint]}}
}

// usageMember is searched for without its first quote: a chunk is full of quotes,
// and has few of this letter.
var (
	usageMember = []byte(`usage"`)
	idMember    = []byte(`"id"`)
	nullValue   = []byte("null")
)

// Event reads the data of one event, or one message of a socket. A chunk of a
// stream costs a search, not a decoding: almost none of them has a usage.
func (m *Meter) Event(data []byte) {
	m.output.add(m.newOutput(data))
	needsID := m.report.ResponseID == "" && bytes.Contains(data, idMember)
	if !needsID && !hasUsage(data) {
		return
	}
	said, ok := readAnswer(data)
	if !ok {
		return
	}
	if id := said.responseID(); m.report.ResponseID == "" {
		m.report.ResponseID = id
	}
	if usage := said.usage(); usage != nil {
		m.replace(usage)
	}
}

// replace makes a usage the last word: counts of a stream are cumulative, so they
// are never added.
func (m *Meter) replace(usage *rawUsage) {
	if m.endpoint == Messages {
		m.merged.complete(usage)
		usage = &m.merged
	}
	report := usage.report(m.endpoint)
	if !report.Found {
		return
	}
	report.ResponseID = m.report.ResponseID
	m.report = report
}

// complete takes over the counts that a later event names. It need not name those
// of the input again.
func (u *rawUsage) complete(later *rawUsage) {
	for _, pair := range []struct{ to, from *count }{
		{&u.Input, &later.Input}, {&u.Output, &later.Output},
		{&u.CacheRead, &later.CacheRead}, {&u.CacheCreation, &later.CacheCreation},
		{&u.CacheWrites.FiveMinutes, &later.CacheWrites.FiveMinutes}, {&u.CacheWrites.OneHour, &later.CacheWrites.OneHour},
		{&u.ServerTools.WebSearches, &later.ServerTools.WebSearches}, {&u.ServerTools.WebFetches, &later.ServerTools.WebFetches},
	} {
		if pair.from.isSeen {
			*pair.to = *pair.from
		}
	}
	if len(later.Iterations) > 0 {
		u.Iterations = later.Iterations
	}
}

// Report is the provider's last word.
func (m *Meter) Report() Report { return m.report }

// Counted is our own count of the output so far, for extending holds and for bills
// of streams that were cut.
func (m *Meter) Counted() pricing.Usage {
	return pricing.Usage{OutText: m.output.tokens()}
}

// hasUsage tells whether a text has a usage that is not null. Inside a string of
// JSON the quotes would be escaped, so what a model writes is never taken for it.
func hasUsage(data []byte) bool {
	for {
		at := bytes.Index(data, usageMember)
		if at < 0 {
			return false
		}
		data = data[at+len(usageMember):]
		value := bytes.TrimLeft(data, ": \t\r\n")
		if !bytes.HasPrefix(value, nullValue) {
			return true
		}
	}
}
