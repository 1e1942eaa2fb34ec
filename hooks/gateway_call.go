package hooks

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// chargedTokensHeader says what a call cost, in wallet tokens.
const chargedTokensHeader = "x-sokuji-charged-tokens"

// call is one metered call on its way: docs/metering.md tells its life.
type call struct {
	server  *server
	event   *core.RequestEvent
	route   gatewayRoute
	caller  caller
	plan    entitlement
	id      string
	started time.Time

	content   callContent
	asked     metering.Ask
	upstreams []gateway.Upstream
	turn      *turn
	admission *admission
	bill      bill
	ticket    *replayTicket // nil without an Idempotency-Key

	// client ends when nobody reads the answer any more; ctx is the call's own and
	// ends only when the server does.
	client     context.Context
	clientGone context.CancelFunc
	ctx        context.Context

	answering  gateway.Upstream // who answered
	firstByte  time.Duration    // from the start to the provider's first byte
	providerID string           // the provider's own name for the call
	meter      *metering.Meter  // of a stream
	answered   []byte           // the beginning of the answer, where contents are kept
}

// gatewayCall answers one metered route.
func (s *server) gatewayCall(endpoint metering.Endpoint) func(*core.RequestEvent) error {
	route := gatewayRouteOf(endpoint)
	return func(e *core.RequestEvent) error {
		err := s.gatewayAnswer(e, route)
		if errors.Is(err, errBrokenOff) {
			panic(http.ErrAbortHandler) // the one way to tell a client that this was not all
		}
		return err
	}
}

func (s *server) gatewayAnswer(e *core.RequestEvent, route gatewayRoute) error {
	leave, err := s.gateway.enter()
	if err != nil {
		return err
	}
	defer leave()
	c := &call{server: s, event: e, route: route, id: newCallID(), started: time.Now(), ctx: s.gateway.ctx}
	c.client, c.clientGone = context.WithCancel(e.Request.Context())
	defer c.clientGone()
	e.Response.Header().Set(requestIDHeader, c.id)
	return c.run()
}

func newCallID() string {
	var random [12]byte
	rand.Read(random[:]) // never fails
	return "req_" + hex.EncodeToString(random[:])
}

// run goes the way of the call. Everything before bill.open costs nobody anything;
// everything behind it ends with a closed bill.
func (c *call) run() error {
	if err := c.read(); err != nil {
		return err
	}
	defer c.content.close()
	replayed, err := c.replayOrBegin()
	if err != nil || replayed {
		return err
	}
	defer c.ticket.abandon() // unless it was settled
	if err := c.prepare(); err != nil {
		return err
	}
	defer c.admission.done(0) // unless it was settled
	if err := c.hold(); err != nil {
		return err
	}
	return c.answer()
}

// read identifies the caller, whose turn it must be, and reads what they sent.
func (c *call) read() (err error) {
	if c.caller, err = requireGatewayCaller(c.event); err != nil {
		return err
	}
	c.bill = bill{server: c.server, request: gatewayRequest(c.caller)}
	if c.plan, err = c.server.entitlementOf(c.event.Request.Context(), c.bill.request.Subject); err != nil {
		return err
	}
	if c.turn, err = c.server.takeTurn(c.event, c.caller, c.plan); err != nil {
		return err
	}
	if err := c.allowToWrite(0); err != nil {
		return err
	}
	if c.content, err = c.route.read(c.server, c); err != nil {
		return err
	}
	c.asked = c.content.ask()
	return nil
}

// allowToWrite says how long the answer may take from now on. By 0 it has no bound:
// a call may take longer than the server gives ordinary requests.
func (c *call) allowToWrite(bound time.Duration) error {
	var deadline time.Time
	if bound > 0 {
		deadline = time.Now().Add(bound)
	}
	err := http.NewResponseController(c.event.Response).SetWriteDeadline(deadline)
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// prepare finds who can answer and whether the caller may ask.
func (c *call) prepare() (err error) {
	if c.upstreams, err = c.server.upstreamsFor(c.route.endpoint, c.asked.Model); err != nil {
		return err
	}
	if err := c.addContext(); err != nil {
		return err
	}
	if c.upstreams, err = c.server.openUpstreams(c.caller, c.plan, c.route.endpoint, c.asked.Estimate, c.upstreams); err != nil {
		return err
	}
	c.admission, err = c.turn.admit(callAsk{
		session: c.asked.Stream, estimated: c.asked.Estimate.InputTokens() + c.asked.Estimate.OutputTokens(),
	}, c.event.Response.Header())
	if err == nil {
		c.bill.request.Spender = c.admission.spender()
	}
	return err
}

// counted is our own count of a call whose answer carries none: what was asked, and
// what was counted of the answer.
func (c *call) counted(output pricing.Usage) pricing.Usage {
	usage := c.asked.Counted
	usage.OutText, usage.OutAudio = output.OutText, output.OutAudio
	return usage
}

// unanswered is the outcome of a call of which nothing came back.
func (c *call) unanswered() outcome {
	return outcomeOf(c.route.endpoint, metering.Report{}, c.counted(pricing.Usage{}), false)
}

// hold reserves what the call may cost: all of it, or of a stream's output that
// grows the first step. The dearest of the upstreams counts, for any may be the one.
func (c *call) hold() error {
	estimate := c.asked.Estimate
	if c.asked.Stream && c.route.endpoint.OutputGrows() {
		estimate.OutText, estimate.OutAudio = min(estimate.OutText, streamStepTokens), min(estimate.OutAudio, streamStepTokens)
	}
	var amount int64
	for _, upstream := range c.upstreams {
		cost, err := c.server.estimate(upstream, c.plan, estimate)
		if err != nil {
			return priceRefusal(err)
		}
		amount = max(amount, cost)
	}
	if c.ticket != nil {
		c.bill.settleKey = c.ticket.settleKey
	}
	return c.bill.open(c.event.Request.Context(), amount, c.longest(), c.id)
}

// longest is how long a hold must last that nothing renews: as long as one provider
// after the other may take.
func (c *call) longest() time.Duration {
	var all time.Duration
	for _, upstream := range c.upstreams {
		all += upstream.Timeouts.Total
	}
	return min(all+billHoldDuration, ledger.MaxHoldDuration)
}

// answer calls the provider and brings the answer back. A panic on the way closes
// the bill, too.
func (c *call) answer() (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = c.panicked(fault)
		}
	}()
	answer, err := c.server.gateway.client.Call(c.ctx, c.client, c.upstreams, gateway.Exchange{Request: c.content.request, Check: c.check})
	if failure, failed := errors.AsType[*gateway.Failure](err); failed {
		return c.failed(failure)
	}
	defer answer.Body.Close()
	c.answering, c.firstByte, c.providerID = answer.Upstream, answer.Began.Sub(c.started), gateway.RequestID(answer.Header)
	switch {
	case gateway.IsStream(answer.Header):
		return c.answerStream(answer)
	case c.route.bytes:
		return c.answerBytes(answer)
	}
	return c.answerWhole(answer)
}

// panicked closes the bill after a fault of ours: what came through is charged.
func (c *call) panicked(fault any) error {
	c.server.app.Logger().Error("A call panicked", slog.String("request", c.id), slog.Any("fault", fault), slog.String("stack", string(debug.Stack())))
	var err error
	switch {
	case c.bill.isClosed:
	case c.firstByte == 0:
		err = c.bill.release()
	default:
		result := c.unanswered()
		if c.meter != nil {
			result = outcomeOf(c.route.endpoint, c.meter.Report(), c.counted(c.meter.Counted()), false)
		}
		_, err = c.settle(c.answering, result, http.StatusInternalServerError)
		c.ticket.finish(nil)
	}
	if c.event.Written() {
		return errors.Join(errBrokenOff, err)
	}
	return errors.Join(errors.New("a call panicked"), err)
}

// failed closes the bill of a call that no provider answered. A client that did
// not wait pays for what it asked: the provider has read it.
func (c *call) failed(failure *gateway.Failure) error {
	if errors.Is(failure, gateway.ErrClientGone) {
		_, err := c.settle(failure.Upstream, c.unanswered(), statusClientGone)
		return errors.Join(err, refusalOfFailure(failure))
	}
	if err := c.bill.release(); err != nil {
		return err
	}
	c.server.app.Logger().Warn("A provider did not answer", slog.String("provider", failure.Upstream.Name),
		slog.String("request", c.id), slog.Int("status", failure.Status), slog.Any("cause", failure.Cause))
	if !passesThrough(failure) {
		return refusalOfFailure(failure)
	}
	header := c.event.Response.Header()
	gateway.ReturnHeaders(header, failure.Header)
	header.Set("Content-Type", "application/json")
	return c.writeWhole(failure.Status, gateway.MaskAccount(failure.Body))
}

// settle charges what a call used and writes its usage row.
func (c *call) settle(upstream gateway.Upstream, result outcome, status int) (int64, error) {
	result.usage.Requests = max(result.usage.Requests, c.asked.Estimate.Requests) // no provider counts them
	charged, row, result, err := c.server.chargeFor(upstream, c.plan, result)
	if err != nil {
		// Nothing that can be priced is known: what was reserved is what it costs.
		c.server.app.Logger().Error("A call could not be priced and costs what it held", slog.String("request", c.id), slog.Any("error", err))
		charged, row = pricing.Charge{Total: c.bill.held}, ledger.Usage{Provider: upstream.Price.Provider, Model: upstream.Asked, Method: http.MethodPost}
		result.anomalies = append(result.anomalies, "could not be priced")
	}
	c.describe(&row, upstream, result, status)
	if err := c.bill.settle(charged.Total, row); err != nil {
		return 0, err
	}
	c.admission.done(row.InputTokens + row.OutputTokens)
	return charged.Total, nil
}
