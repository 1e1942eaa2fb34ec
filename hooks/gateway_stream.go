package hooks

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"sokuji/internal/gateway"
	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

const (
	// streamStepTokens is how much output one extension of a stream's hold covers.
	streamStepTokens = 2048
	// renewInterval is how often a stream that runs shows that it may: its key, its
	// wallet and the deadline of its hold.
	renewInterval = 15 * time.Second
	// closeGrace is how long a provider may take to end a stream after its last
	// event, so that the connection can be used again.
	closeGrace = 100 * time.Millisecond

	usageEventHeader = "x-sokuji-usage" // with the value event
	usageEvent       = "sokuji.usage"
)

// callStream is an answer that comes in events.
type callStream struct {
	call     *call
	answer   *gateway.Answer
	out      *clientWriter
	renewed  time.Time
	stepCost int64 // tokens for streamStepTokens of output
	// dismissed is why the client sees no more of a provider that is read on.
	dismissed error
}

// answerStream passes events on as they come, keeps enough reserved for them, and
// settles before the last.
func (c *call) answerStream(answer *gateway.Answer) error {
	c.meter = metering.NewMeter(c.route.endpoint, c.asked)
	s := &callStream{call: c, answer: answer, out: c.newClientWriter(), renewed: time.Now()}
	var err error
	step := pricing.Usage{OutText: streamStepTokens}
	if c.asked.Estimate.OutAudio > 0 {
		step.OutAudio = streamStepTokens
	}
	if s.stepCost, err = c.server.estimate(answer.Upstream, c.plan, step); err != nil {
		return errors.Join(c.bill.release(), priceRefusal(err))
	}
	header := c.event.Response.Header()
	gateway.ReturnHeaders(header, answer.Header)
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no") // nginx would collect events
	return s.run()
}

func (s *callStream) run() error {
	events := gateway.NewEventReader(s.answer.Body)
	for {
		event, err := events.Next()
		if errors.Is(err, io.EOF) && endsWithoutEvent(s.call.route.endpoint) {
			return s.end(nil)
		}
		if err != nil {
			return s.cut(err)
		}
		if event.Data != nil && s.call.meter.Event(event.Data) {
			event.Raw, event.Data = gateway.MaskAccount(event.Raw), gateway.MaskAccount(event.Data)
		}
		if isLastEvent(s.call.route.endpoint, event) {
			return s.end(event.Raw)
		}
		if err := s.keepReserved(); err != nil {
			return s.stop(err)
		}
		s.pass(event)
	}
}

// pass hides of an event what the client did not ask for.
func (s *callStream) pass(event gateway.Event) {
	s.call.keepContent(event.Data)
	if s.call.route.endpoint != metering.ChatCompletions || s.call.asked.IncludeUsage || event.Data == nil {
		s.out.write(event.Raw)
		return
	}
	shown, isShown := gateway.HideUsage(event.Data)
	switch {
	case !isShown:
	case len(shown) == len(event.Data):
		s.out.write(event.Raw)
	default:
		s.out.write(gateway.AppendEvent(nil, event.Name, shown))
	}
}

// keepReserved extends the hold before the output has used it up, and renews it in
// any case from time to time. Its error is why the stream must stop.
func (s *callStream) keepReserved() error {
	c := s.call
	used, err := s.cost()
	if err != nil {
		return err
	}
	var missing int64
	if c.route.endpoint.OutputGrows() && isNearly(used, c.bill.held) {
		missing = max(s.stepCost, used+s.stepCost-c.bill.held, 1)
	}
	now := time.Now()
	if missing == 0 && now.Sub(s.renewed) < c.server.gateway.renewInterval {
		return nil
	}
	if s.dismissed == nil && !c.server.stillAdmitted(c.event, c.caller) {
		s.dismiss(&refusal{status: http.StatusUnauthorized, code: "invalid_api_key", title: "Unauthorized", message: "This API key was revoked while the answer ran."})
	}
	s.renewed = now
	return c.bill.extend(missing)
}

// dismiss ends the answer for a client whose key was revoked. The provider is read on
// for its counts, as for a client that left: nobody is to pay for less than they used
// by revoking their own key.
func (s *callStream) dismiss(why error) {
	s.dismissed = why
	s.out.tooLong = true // what it was shown is not kept for a repetition
	if s.out.hasBegun {
		s.out.write(s.errorEvent(why))
	}
	s.out.leave()
}

// isNearly tells whether three quarters of what is held are used.
func isNearly(used, held int64) bool { return used > held-held/4 }

// cost is what the output so far comes to by our own count.
func (s *callStream) cost() (int64, error) {
	return s.call.server.estimate(s.answer.Upstream, s.call.plan, s.call.counted(s.call.meter.Counted()))
}

// settle closes the bill with what the meter knows.
func (s *callStream) settle(isWhole bool, status int) (int64, error) {
	c := s.call
	if s.dismissed != nil {
		status = gatewayErrorOf(refusalOf(s.dismissed)).status
	}
	return c.settle(s.answer.Upstream, outcomeOf(c.route.endpoint, c.meter.Report(), c.counted(c.meter.Counted()), isWhole), status)
}

// end settles and shows the last event after that.
func (s *callStream) end(last []byte) error {
	if s.call.meter.HasNothing() && s.call.meter.HasFailed() {
		return s.failed(last)
	}
	charged, err := s.settle(true, s.answer.Status)
	if err != nil {
		return s.complain(err)
	}
	if s.call.event.Request.Header.Get(usageEventHeader) == "event" {
		s.out.write(gateway.AppendEvent(nil, usageEvent, fmt.Appendf(nil, `{"charged_tokens":%d}`, charged)))
	}
	if last != nil || !s.out.hasBegun {
		s.out.write(last)
	}
	s.call.ticket.finish(s.out.kept(s.answer.Status, charged))
	s.readToEnd()
	if s.dismissed != nil {
		return s.complain(s.dismissed)
	}
	return nil
}

// failed ends a stream in which the provider failed before any output: nothing is
// charged.
func (s *callStream) failed(last []byte) error {
	if err := s.call.bill.release(); err != nil {
		return s.complain(err)
	}
	if !s.out.hasBegun {
		return couldNotAnswer(gateway.ErrFailedAnswer)
	}
	if last != nil {
		s.out.write(last)
	}
	return nil
}

// readToEnd lets the connection be used again, if the provider is done with it.
func (s *callStream) readToEnd() {
	timer := time.AfterFunc(closeGrace, func() { s.answer.Body.Close() })
	defer timer.Stop()
	_, _ = io.CopyN(io.Discard, s.answer.Body, copyPieceBytes) // nothing hangs on it
}

// stop ends a stream that may not go on: the provider is cut, and what came
// through is billed.
func (s *callStream) stop(why error) error {
	s.answer.Body.Close()
	refused := refusalOf(why)
	if _, err := s.settle(false, gatewayErrorOf(refused).status); err != nil {
		return s.complain(err)
	}
	s.call.ticket.finish(nil)
	return s.complain(why)
}

// cut ends a stream that the provider, the client or the server broke. If nothing
// has come through by then, or the provider broke off before any output, nothing is
// charged.
func (s *callStream) cut(cause error) error {
	refused := refusalOfCut(cause)
	hasNothing := !s.out.hasBegun || s.call.meter.HasNothing() && isBrokenOff(cause)
	if hasNothing && !errors.Is(cause, gateway.ErrClientGone) {
		if err := s.call.bill.release(); err != nil {
			return s.complain(err)
		}
		return s.complain(refused)
	}
	if _, err := s.settle(false, refused.status); err != nil {
		return s.complain(err)
	}
	s.call.ticket.finish(nil)
	return s.complain(refused)
}

// isBrokenOff tells a provider's own breaking off from our cuts: for those a provider
// may have worked long, and bills it.
func isBrokenOff(cause error) bool {
	ours := []error{
		gateway.ErrClientGone, gateway.ErrFirstByteTimeout, gateway.ErrIdleTimeout, gateway.ErrTotalTimeout,
		gateway.ErrEventTooLarge, errDraining, context.Canceled,
	}
	return !slices.ContainsFunc(ours, func(cut error) bool { return errors.Is(cause, cut) })
}

// complain tells the client in the stream's dialect why it ends, or in an ordinary
// answer while nothing was sent.
func (s *callStream) complain(why error) error {
	why = cmp.Or(s.dismissed, why)
	if !s.out.hasBegun {
		return refusalOf(why)
	}
	s.out.tooLong = true // an error is not kept for a repetition
	s.out.write(s.errorEvent(why))
	return nil
}

func (s *callStream) errorEvent(why error) []byte {
	return errorEvent(s.call.route.endpoint, gatewayErrorOf(refusalOf(why)))
}

// errorEvent is an error as the SDKs of each dialect expect it in a stream.
func errorEvent(endpoint metering.Endpoint, shown gatewayError) []byte {
	body, name := shown.body(endpoint == metering.Messages), ""
	switch endpoint {
	case metering.Messages:
		name = "error"
	case metering.Responses:
		name = "error"
		body["type"], body["code"], body["message"], body["param"] = "error", shown.code, shown.message, nil
	}
	data, err := json.Marshal(body)
	if err != nil {
		data = []byte(`{"error":{"message":"The stream ended with an error."}}`) // texts always encode
	}
	return gateway.AppendEvent(nil, name, data)
}

// endsWithoutEvent tells endpoints whose streams may just end. All others say so,
// and a stream that ends without is cut.
func endsWithoutEvent(endpoint metering.Endpoint) bool {
	return endpoint != metering.Messages && endpoint != metering.Responses
}

// eventTypeBytes is how far the type of an event stands from its beginning at most.
const eventTypeBytes = 128

func isLastEvent(endpoint metering.Endpoint, event gateway.Event) bool {
	switch endpoint {
	case metering.Messages:
		return isOfType(event, "message_stop")
	case metering.Responses:
		return isOfType(event, "response.completed") || isOfType(event, "response.incomplete") || isOfType(event, "response.failed")
	}
	return strings.TrimSpace(string(event.Data[:min(len(event.Data), len("[DONE]")+1)])) == "[DONE]"
}

func isOfType(event gateway.Event, name string) bool {
	if event.Name != "" {
		return event.Name == name
	}
	return bytes.Contains(event.Data[:min(len(event.Data), eventTypeBytes)], []byte(`"`+name+`"`))
}
