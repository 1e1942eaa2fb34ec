package hooks

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// maxAnswerBytes bounds a whole answer, which is held until it is settled. The
// largest are pictures as text.
const maxAnswerBytes = 96 << 20

// wholeWriteTimeout is how long a client may take to read such an answer.
const wholeWriteTimeout = 5 * time.Minute

var errAnswerTooLarge = fmt.Errorf("the provider's answer has more than %d bytes", maxAnswerBytes)

// answerWhole brings an answer back that comes in one piece: it is settled before
// any of it is shown.
func (c *call) answerWhole(answer *gateway.Answer) error {
	body, free, err := c.server.gateway.answers.read(c.ctx, answer.Body, -1)
	defer free()
	if err == nil && len(body) > maxAnswerBytes {
		err = errAnswerTooLarge
	}
	if err != nil {
		return c.broken(answer, body, err)
	}
	c.keepContent(body)
	report := metering.ParseBody(c.route.endpoint, body)
	if !report.Found && metering.IsNoAnswer(body) {
		return errors.Join(c.bill.release(), couldNotAnswer(gateway.ErrOtherAnswer))
	}
	if metering.IsFailure(body) {
		body = gateway.MaskAccount(body)
	}
	result := outcomeOf(c.route.endpoint, report, c.countBytes(body), true)
	charged, err := c.settle(answer.Upstream, result, answer.Status)
	if err != nil {
		return err
	}
	header := c.event.Response.Header()
	gateway.ReturnHeaders(header, answer.Header)
	body = c.content.answer(header, body)
	header.Set(chargedTokensHeader, strconv.FormatInt(charged, 10))
	header.Set("Content-Length", strconv.Itoa(len(body)))
	c.ticket.finish(&keptAnswer{status: answer.Status, contentType: header.Get("Content-Type"), charged: charged, body: body})
	return c.writeWhole(answer.Status, body)
}

// writeWhole writes an answer in one piece to a client that may be slow, but not
// for ever.
func (c *call) writeWhole(status int, body []byte) error {
	if err := c.allowToWrite(wholeWriteTimeout); err != nil {
		return err
	}
	c.event.Response.WriteHeader(status)
	_, err := c.event.Response.Write(body)
	return ignoreGoneClient(err)
}

// countBytes is our own count of an answer that carries none: what it can hold,
// and never more than was asked for.
func (c *call) countBytes(body []byte) pricing.Usage {
	output := c.asked.Estimate
	output.OutText = min(output.OutText, int64(len(body))/metering.BytesPerToken+1)
	return c.counted(output)
}

// broken closes the bill of a whole answer that did not come to its end. The
// client has seen nothing of it; it pays only where the cut is its own doing.
func (c *call) broken(answer *gateway.Answer, body []byte, cause error) error {
	refused := refusalOfCut(cause)
	if !errors.Is(cause, gateway.ErrClientGone) && !errors.Is(cause, errAnswerTooLarge) {
		return errors.Join(c.bill.release(), refused)
	}
	result := outcomeOf(c.route.endpoint, metering.Report{}, c.countBytes(body), false)
	_, err := c.settle(answer.Upstream, result, refused.status)
	return errors.Join(err, refused)
}

// answerBytes passes sound on as it comes. It carries no counts, so what was asked
// for is what is billed, whether or not the client hears the end.
func (c *call) answerBytes(answer *gateway.Answer) error {
	result := outcome{usage: c.asked.Estimate, settledBy: ledger.SettledByEstimate}
	cost, err := c.server.estimate(answer.Upstream, c.plan, result.usage)
	if err != nil {
		return errors.Join(c.bill.release(), priceRefusal(err))
	}
	header := c.event.Response.Header()
	gateway.ReturnHeaders(header, answer.Header)
	header.Set(chargedTokensHeader, strconv.FormatInt(cost, 10))
	out := c.newClientWriter()
	cause := out.copyFrom(answer.Body)
	status := answer.Status
	if cause != nil {
		result.settledBy, status = ledger.SettledByPartial, refusalOfCut(cause).status
	}
	if _, err := c.settle(answer.Upstream, result, status); err != nil {
		return out.breakOff(err)
	}
	if cause != nil {
		c.ticket.finish(nil)
		return out.breakOff(cause)
	}
	c.ticket.finish(out.kept(answer.Status, cost))
	return nil
}

// ignoreGoneClient drops the error of writing to a client that is not there: its
// call is settled, and nobody is left to be told.
func ignoreGoneClient(err error) error {
	if err != nil && !errors.Is(err, http.ErrContentLength) {
		return nil
	}
	return err
}
