package hooks

import (
	"bytes"
	"net/http"

	"sokuji/internal/gateway"
	"sokuji/internal/metering"
)

// check says by the beginning of an answer why it is none, whatever its status is.
// Nothing is charged for it, and another provider may have one.
func (c *call) check(header http.Header, beginning []byte) error {
	isRight := gateway.MayBeJSON(header)
	if c.route.bytes {
		isRight = gateway.MayBeSound(header)
	}
	switch {
	case gateway.IsStream(header):
		return c.checkEvent(beginning)
	case !isRight, !c.route.bytes && !mayBeObject(beginning):
		return gateway.ErrOtherAnswer
	case !c.route.bytes && metering.IsFailure(beginning) && c.isNoAnswer(beginning):
		return gateway.ErrFailedAnswer
	}
	return nil
}

func (c *call) checkEvent(beginning []byte) error {
	event, err := gateway.NewEventReader(bytes.NewReader(beginning)).Next()
	if err != nil {
		return nil // it goes on, and the stream will tell
	}
	meter := metering.NewMeter(c.route.endpoint, c.asked)
	if meter.Event(event.Data) && meter.HasNothing() {
		return gateway.ErrFailedAnswer
	}
	return nil
}

// mayBeObject tells whether a text may go on as an object of JSON.
func mayBeObject(beginning []byte) bool {
	text := bytes.TrimLeft(beginning, " \t\r\n")
	return len(text) == 0 || text[0] == '{'
}

// isNoAnswer tells whether there is nothing in a whole answer to charge for.
func (c *call) isNoAnswer(body []byte) bool {
	return !metering.ParseBody(c.route.endpoint, body).Found && metering.IsNoAnswer(body)
}
