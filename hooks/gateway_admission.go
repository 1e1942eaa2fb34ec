package hooks

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
	"sokuji/internal/limits"
	"sokuji/internal/metering"
)

// callAsk is what a call wants to be admitted for.
type callAsk struct {
	endpoint  metering.Endpoint
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

// admitCall lets a call in, or says why not and when to come back. A refused call
// has taken nothing. What the caller may still do is in the answer's headers either
// way.
func (s *server) admitCall(e *core.RequestEvent, c caller, ask callAsk) (*admission, error) {
	granted, err := s.entitlementOf(e.Request.Context(), ledger.UserSubject(c.userID))
	if err != nil {
		return nil, err
	}
	l, bounds, now := s.callLimits, boundsOf(granted), s.callLimits.now()
	a := &admission{limits: l, caller: c, estimated: max(0, ask.estimated), tokens: l.tokenRates(c, bounds), hasSession: ask.session}
	if ask.session && !l.sessions.Enter(c.userID, bounds.sessions) {
		return nil, tooManySessions(bounds.sessions)
	}
	requests := l.requestRates(c, bounds)
	header := e.Response.Header()
	if refused := take(requests, 1, now, header, "requests"); refused != nil {
		a.leave()
		return nil, refused
	}
	if refused := take(a.tokens, a.estimated, now, header, "tokens"); refused != nil {
		give(requests, 1, now)
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
