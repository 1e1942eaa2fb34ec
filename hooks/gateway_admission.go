package hooks

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
	"sokuji/internal/limits"
)

// callAsk is what a call wants to be admitted for.
type callAsk struct {
	estimated int64 // input and output tokens of the model, for tokens per minute
	session   bool  // it occupies a concurrent session until done (streams and sockets)
}

// admission is a call that was let in.
type admission struct {
	limits     *callLimits
	caller     caller
	estimated  int64
	hasSession bool
	tokens     []rate // what the estimate was taken from
	isDone     atomic.Bool
}

// turn is one of a caller's requests a minute.
type turn struct {
	limits *callLimits
	caller caller
	bounds callBounds
	rates  []rate // that the request was taken from
}

// takeTurn takes a request before its body is read, because reading one is work,
// too. A call counts from then on, also when it turns out to make no sense.
func (s *server) takeTurn(e *core.RequestEvent, c caller, granted entitlement) (*turn, error) {
	bounds := boundsOf(granted)
	t := &turn{limits: s.callLimits, caller: c, bounds: bounds, rates: s.callLimits.requestRates(c, bounds)}
	return t, take(t.rates, 1, s.callLimits.now(), e.Response.Header(), "requests")
}

// admit lets a call in, or says why not and when to come back. One that its limits
// refuse has taken nothing. What the caller may still do is in the answer's headers
// either way.
func (t *turn) admit(ask callAsk, header http.Header) (*admission, error) {
	l, now := t.limits, t.limits.now()
	a := &admission{limits: l, caller: t.caller, estimated: max(0, ask.estimated), tokens: l.tokenRates(t.caller, t.bounds), hasSession: ask.session}
	if ask.session && !l.sessions.Enter(t.caller.userID, t.bounds.sessions) {
		give(t.rates, 1, now)
		return nil, tooManySessions(t.bounds.sessions)
	}
	if refused := take(a.tokens, a.estimated, now, header, "tokens"); refused != nil {
		give(t.rates, 1, now)
		a.leave()
		return nil, refused
	}
	return a, nil
}

// done gives back what the call occupied, and corrects the tokens to what was
// used. It may be called twice; the first word holds.
func (a *admission) done(used int64) {
	if a.isDone.Swap(true) {
		return
	}
	now := a.limits.now()
	for _, r := range a.tokens {
		r.buckets.Give(r.key, r.perMinute, min(a.estimated, r.perMinute)-used, now)
	}
	a.leave()
}

func (a *admission) leave() {
	if a.hasSession {
		a.limits.sessions.Leave(a.caller.userID)
	}
}

// spender is the key that pays, as ledger.Request takes it.
func (a *admission) spender() ledger.Spender { return spenderOf(a.caller) }

// take takes an amount from every bucket, or from none.
func take(rates []rate, amount int64, now time.Time, header http.Header, unit string) error {
	var tightest rate
	var shown limits.Level
	for i, r := range rates {
		level := r.buckets.Take(r.key, r.perMinute, amount, now)
		if i == 0 || level.Remaining < shown.Remaining {
			tightest, shown = r, level
		}
		if !level.Allowed {
			give(rates[:i], amount, now)
			showRate(header, unit, r.perMinute, level)
			return tooFast(r, unit, level)
		}
	}
	showRate(header, unit, tightest.perMinute, shown)
	return nil
}

// give puts back what take took.
func give(rates []rate, amount int64, now time.Time) {
	for _, r := range rates {
		r.buckets.Give(r.key, r.perMinute, min(amount, r.perMinute), now)
	}
}

func tooFast(r rate, unit string, level limits.Level) error {
	wait := limits.Decision{RetryAfter: level.RetryAfter}.Seconds()
	return &refusal{
		status: http.StatusTooManyRequests, code: "rate_limited", title: "Too many requests", retryAfter: wait,
		message: fmt.Sprintf("The limit of %d %s a minute of this %s is reached: try again in %d s.", r.perMinute, unit, r.owner, wait),
	}
}

// sessionRetrySeconds is when to look again whether a session ended.
const sessionRetrySeconds = 5

func tooManySessions(most int64) error {
	return &refusal{
		status: http.StatusTooManyRequests, code: "rate_limited", title: "Too many sessions", retryAfter: sessionRetrySeconds,
		message: fmt.Sprintf("Your plan allows %d streams and sockets at the same time: end one, then try again.", most),
	}
}
