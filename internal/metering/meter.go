package metering

import (
	"bytes"

	"sokuji/internal/pricing"
)

// Meter reads the events of one stream. It is for one goroutine.
type Meter struct {
	endpoint Endpoint
	asked    Ask
	report   Report
	merged   rawUsage // of Anthropic, whose events complete each other
	output   outputCounter
	sound    outputCounter // of a chat that is spoken
	hasBegun bool          // an event came that is no failure
	failed   bool          // an event says that the provider failed
}

// NewMeter starts to read the stream that answers a request.
func NewMeter(endpoint Endpoint, asked Ask) *Meter {
	m := &Meter{endpoint: endpoint, asked: asked, output: outputCounter{members: outputMembers[endpoint]}}
	if endpoint == ChatCompletions && asked.Estimate.OutAudio > 0 {
		m.sound.members = [][]byte{soundMember}
	}
	return m
}

// usageMember is searched for without its first quote: a chunk is full of quotes,
// and has few of this letter.
var (
	usageMember = []byte(`usage"`)
	idMember    = []byte(`"id"`)
	nullValue   = []byte("null")
)

// Event reads the data of one event, and tells whether it says that the provider
// failed. A chunk of a stream costs a search, not a decoding: almost none of them has
// a usage.
func (m *Meter) Event(data []byte) (isFailure bool) {
	isFailure = IsFailure(data)
	m.failed = m.failed || isFailure
	m.hasBegun = m.hasBegun || !isFailure && bytes.HasPrefix(data, []byte("{"))
	m.count(data)
	m.readUsage(data)
	return isFailure
}

func (m *Meter) count(data []byte) {
	output := m.newOutput(data)
	m.output.add(output)
	m.sound.add(output)
}

func (m *Meter) readUsage(data []byte) {
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
	if m.endpoint.countsByAsk() {
		if m.output.pieces == 0 {
			return pricing.Usage{}
		}
		return pricing.Usage{OutText: m.asked.Estimate.OutText, OutAudio: m.asked.Estimate.OutAudio}
	}
	return pricing.Usage{OutText: m.output.tokens(), OutAudio: m.sound.soundTokens(m.asked.SoundFormat)}
}

// HasNothing tells that there is nothing to charge so far: neither counts of the
// provider nor any output.
func (m *Meter) HasNothing() bool {
	return !m.report.Found && m.output.pieces == 0 && m.sound.pieces == 0
}

// HasFailed tells that the provider said that it failed, or nothing at all.
func (m *Meter) HasFailed() bool { return m.failed || !m.hasBegun }

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
