package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/metering"
)

// The formats of a transcript.
const (
	formatField   = "response_format"
	formatJSON    = "json"
	formatVerbose = "verbose_json"
	formatText    = "text"
)

// formContent is a form with a file, which stays on disk when it is large.
type formContent struct {
	endpoint metering.Endpoint
	form     *gateway.Form
	asked    metering.Ask
	client   http.Header
	plain    bool // the client wants the bare text
}

func readFormContent(_ *server, c *call) (callContent, error) {
	kind, parameters, err := mime.ParseMediaType(c.event.Request.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || parameters["boundary"] == "" {
		return nil, ledger.Invalid("body", "The body must be a form, multipart/form-data, with the fields file and model.")
	}
	reader, err := gatewayBody(c.event, maxGatewayFormBytes)
	if err != nil {
		return nil, err
	}
	form, err := gateway.ReadForm(reader, parameters["boundary"])
	if err != nil {
		return nil, bodyRefusal(err, maxGatewayFormBytes)
	}
	content := &formContent{endpoint: c.route.endpoint, form: form, client: c.event.Request.Header}
	if err := content.read(); err != nil {
		return nil, errors.Join(err, form.Close())
	}
	return content, nil
}

func (f *formContent) read() error {
	model, _ := f.form.Field("model")
	if model == "" {
		return ledger.Invalid("model", "model is missing: name the model to call.")
	}
	stream, _ := f.form.Field("stream")
	prompt, _ := f.form.Field("prompt")
	f.asked = metering.AskToTranscribe(model, stream == "true" || stream == "True" || stream == "1", f.form.FileBytes(), prompt)
	switch format, _ := f.form.Field(formatField); format {
	case "", formatJSON, formatVerbose:
	case formatText:
		f.plain = true
	default:
		return ledger.Invalid(formatField, fmt.Sprintf("response_format %.40q carries no counts to bill by: ask for json, verbose_json or text.", format))
	}
	return nil
}

func (f *formContent) ask() metering.Ask { return f.asked }

func (f *formContent) request(ctx context.Context, upstream gateway.Upstream) (*http.Request, error) {
	form := f.form.With("model", upstream.Model)
	if f.plain {
		form = form.With(formatField, formatJSON) // bare text says nothing of its length
	}
	kind, length, body, err := form.Encode()
	if err != nil {
		return nil, err
	}
	request, err := upstream.NewRequest(ctx, http.MethodPost, string(f.endpoint), body)
	if err != nil {
		return nil, err
	}
	gateway.ForwardHeaders(request.Header, f.client)
	request.Header.Set("Content-Type", kind)
	request.ContentLength = length
	return request, nil
}

func (f *formContent) digest(to io.Writer) error {
	_, err := f.form.WriteTo(to)
	return err
}

func (f *formContent) text() []byte { return nil }

func (f *formContent) answer(header http.Header, body []byte) []byte {
	if !f.plain {
		return body
	}
	var transcript struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(body, &transcript) != nil {
		return body
	}
	header.Set("Content-Type", "text/plain; charset=utf-8")
	return []byte(transcript.Text + "\n")
}

func (f *formContent) close() error { return f.form.Close() }
