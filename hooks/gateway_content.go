package hooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/metering"
)

// callContent is what a client sent, ready for any upstream.
type callContent interface {
	ask() metering.Ask
	// request makes the request to one upstream.
	request(ctx context.Context, upstream gateway.Upstream) (*http.Request, error)
	// digest writes what makes two calls the same.
	digest(to io.Writer) error
	// text is what is logged where the operator keeps contents.
	text() []byte
	// answer turns a whole answer into the form that the client asked for.
	answer(header http.Header, body []byte) []byte
	close() error
}

// jsonContent passes unchanged but for the model's name and, in streams of
// chat/completions, the wish for the usage.
type jsonContent struct {
	endpoint metering.Endpoint
	body     *gateway.Body
	asked    metering.Ask
	client   http.Header
	free     func() // gives the memory of the body back
}

func readJSONContent(s *server, c *call) (callContent, error) {
	reader, err := gatewayBody(c.event, maxGatewayJSONBytes)
	if err != nil {
		return nil, err
	}
	text, free, err := s.gateway.requests.read(c.client, reader, sentLength(c.event.Request))
	if err != nil {
		free()
		return nil, bodyRefusal(err, maxGatewayJSONBytes)
	}
	content, err := parseJSONContent(c, text)
	if err != nil {
		free()
		return nil, err
	}
	content.free = free
	return content, nil
}

func parseJSONContent(c *call, text []byte) (*jsonContent, error) {
	body, err := gateway.ParseBody(text)
	if repeated, ok := errors.AsType[*gateway.RepeatedMemberError](err); ok {
		return nil, ledger.Invalid(repeated.Name, sentence(err))
	}
	if err != nil {
		return nil, ledger.Invalid("body", sentence(err))
	}
	for _, name := range body.Names() {
		if err := metering.CheckSpelling(name); err != nil {
			return nil, ledger.Invalid(name, sentence(err))
		}
	}
	if err := refuseUnmetered(c.route.endpoint, body, c.event.Request.Header); err != nil {
		return nil, err
	}
	if err := refuseConversation(c.route.endpoint, body); err != nil {
		return nil, err
	}
	asked, err := metering.ReadAsk(c.route.endpoint, text)
	if err != nil {
		return nil, ledger.Invalid("body", sentence(err))
	}
	return &jsonContent{endpoint: c.route.endpoint, body: body, asked: asked, client: c.event.Request.Header}, nil
}

func (j *jsonContent) ask() metering.Ask { return j.asked }

func (j *jsonContent) request(ctx context.Context, upstream gateway.Upstream) (*http.Request, error) {
	// The name is always set: it is what was priced, in whatever way it was written.
	name, err := json.Marshal(upstream.Model)
	if err != nil {
		return nil, err
	}
	body := j.body.With("model", name)
	if j.endpoint == metering.ChatCompletions && j.asked.Stream {
		body = body.With("stream_options", withUsage(body.Get("stream_options")))
	}
	request, err := upstream.NewRequest(ctx, http.MethodPost, string(j.endpoint), bytes.NewReader(body.Text()))
	if err != nil {
		return nil, err
	}
	gateway.ForwardHeaders(request.Header, j.client)
	request.Header.Set("Content-Type", "application/json")
	return request, nil
}

// withUsage asks for the usage chunk, whatever else the options say.
func withUsage(options []byte) []byte {
	body, err := gateway.ParseBody(options)
	if err != nil {
		return []byte(`{"include_usage":true}`)
	}
	return body.With("include_usage", []byte("true")).Text()
}

func (j *jsonContent) digest(to io.Writer) error {
	_, err := to.Write(j.body.Text())
	return err
}

func (j *jsonContent) text() []byte                             { return j.body.Text() }
func (j *jsonContent) answer(_ http.Header, body []byte) []byte { return body }

func (j *jsonContent) close() error {
	j.free()
	return nil
}
