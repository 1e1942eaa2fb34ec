package hooks

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/limits"
)

const (
	// tokensPerRequest is how many tokens of a model a request a minute stands for
	// where a plan does not say its tokens per minute.
	tokensPerRequest = 10_000
	// leastRPM and leastSessions are what holds for whom nothing else is known: those
	// of the free plan as it is seeded.
	leastRPM      = 60
	leastSessions = 1
)

// callLimits count the calls of /v1, in memory: after a restart every bucket is
// full.
type callLimits struct {
	now      func() time.Time
	requests *limits.Buckets
	tokens   *limits.Buckets
	sessions limits.Sessions
}

func newCallLimits(now func() time.Time) (*callLimits, error) {
	requests, err := limits.NewBuckets(time.Minute, 0)
	if err != nil {
		return nil, err
	}
	tokens, err := limits.NewBuckets(time.Minute, 0)
	return &callLimits{now: now, requests: requests, tokens: tokens}, err
}

// callBounds are a plan's limits as they hold for /v1.
type callBounds struct {
	requests, tokens int64 // a minute
	sessions         int64
}

func boundsOf(granted entitlement) callBounds {
	requests := cmp.Or(granted.rateLimitRPM, leastRPM)
	return callBounds{
		requests: requests,
		tokens:   cmp.Or(granted.rateLimitTPM, min(requests, ledger.MaxAmountTokens/tokensPerRequest)*tokensPerRequest),
		sessions: cmp.Or(granted.maxConcurrentSessions, leastSessions),
	}
}

// rate is one bucket that a call takes from.
type rate struct {
	buckets   *limits.Buckets
	key       string
	perMinute int64
	owner     string // whose limit it is, for the message
}

// requestRates are the user's, and those of a key with a limit of its own: the
// lower holds, because a call takes from both.
func (l *callLimits) requestRates(c caller, bounds callBounds) []rate {
	return rates(l.requests, c, bounds.requests, c.grant.Bounds().RequestsPerMinute)
}

func (l *callLimits) tokenRates(c caller, bounds callBounds) []rate {
	return rates(l.tokens, c, bounds.tokens, c.grant.Bounds().TokensPerMinute)
}

func rates(buckets *limits.Buckets, c caller, ofUser, ofKey int64) []rate {
	all := []rate{{buckets, "user:" + c.userID, ofUser, "user's plan"}}
	if ofKey > 0 {
		all = append(all, rate{buckets, "key:" + c.grant.ID, ofKey, "API key"})
	}
	return all
}

// showRate writes what is left, as OpenAI's clients read it.
func showRate(header http.Header, unit string, perMinute int64, level limits.Level) {
	header.Set("x-ratelimit-limit-"+unit, strconv.FormatInt(perMinute, 10))
	header.Set("x-ratelimit-remaining-"+unit, strconv.FormatInt(level.Remaining, 10))
	header.Set("x-ratelimit-reset-"+unit, resetText(level.Reset))
}

// resetText is a duration such as 1s, 6m0s or 120ms.
func resetText(reset time.Duration) string {
	if reset <= 0 {
		return "0s"
	}
	return (reset + time.Millisecond - 1).Truncate(time.Millisecond).String()
}
