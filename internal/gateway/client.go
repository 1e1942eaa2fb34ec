package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// maxErrorBytes bounds what is read of a provider's refusal.
const maxErrorBytes = 64 * 1024

// Why a call was cut.
var (
	ErrFirstByteTimeout = errors.New("the provider did not begin to answer in time")
	ErrIdleTimeout      = errors.New("the provider stopped in the middle of its answer")
	ErrTotalTimeout     = errors.New("the provider's answer took too long")
	ErrClientGone       = errors.New("the client went away before the answer was whole")
	ErrFailedAnswer     = errors.New("the provider answered with an error")
	ErrOtherAnswer      = errors.New("the provider answered something else than the endpoint has")
	errNoUpstream       = errors.New("there is no upstream to call")
	errEmptyAnswer      = errors.New("the provider's answer is empty")
)

// Client calls providers. It is safe for concurrent use.
type Client struct {
	// DrainTime is how long an answer is read on for a client that is gone.
	DrainTime time.Duration

	transport http.RoundTripper
	health    *Health
	random    func(n int) int
}

// NewClient makes a client that calls through a transport. now is the clock of the
// providers' health.
func NewClient(transport http.RoundTripper, now func() time.Time) *Client {
	return &Client{DrainTime: DrainTime, transport: transport, health: NewHealth(now), random: rand.IntN}
}

// Answer is a provider's answer with a body to read. Its status is 2xx, and the
// first byte is there, since Began.
type Answer struct {
	Upstream Upstream
	Header   http.Header
	Status   int
	Began    time.Time
	Body     io.ReadCloser
}

// Exchange is what a call sends, and what it takes for an answer.
type Exchange struct {
	// Request makes the request to one upstream.
	Request func(context.Context, Upstream) (*http.Request, error)
	// Check looks at the beginning of an answer, and its error says why it is none:
	// then the next upstream is tried. nil takes every answer.
	Check func(header http.Header, beginning []byte) error
}

func (e Exchange) check(header http.Header, body *bufio.Reader) error {
	if e.Check == nil {
		return nil
	}
	return e.Check(header, beginning(header, body))
}

// Failure is why no provider answered: what the last one said.
type Failure struct {
	Upstream Upstream
	Status   int // of the provider's refusal; 0: it did not answer
	Header   http.Header
	Body     []byte
	Cause    error // set with Status 0
}

// Error says what happened, without what the provider said.
func (f *Failure) Error() string {
	if f.Status == 0 {
		return fmt.Sprintf("provider %s: %v", f.Upstream.Name, f.Cause)
	}
	return fmt.Sprintf("provider %s answered %d", f.Upstream.Name, f.Status)
}

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// Call tries one upstream after the other until one answers. Before the first byte
// of an answer nothing is lost by trying another; after it nothing is tried. ctx
// is the call's own and outlives the client's, which client is: see patience.
//
// An error is a *Failure.
func (c *Client) Call(ctx, client context.Context, upstreams []Upstream, exchange Exchange) (*Answer, error) {
	var last *Failure
	for _, upstream := range Order(upstreams, c.health, c.random) {
		answer, failure := c.try(ctx, client, upstream, exchange)
		if failure == nil {
			c.health.Succeeded(upstream.Name)
			return answer, nil
		}
		if last == nil || failure.Status != 0 || last.Status == 0 {
			last = failure
		}
		if ctx.Err() != nil || errors.Is(failure.Cause, ErrClientGone) || !c.judge(failure) {
			break
		}
	}
	if last == nil {
		last = &Failure{Cause: errNoUpstream}
	}
	return nil, last
}

// judge notes what a failure says about the provider's health, and tells whether
// another provider may do better.
func (c *Client) judge(failure *Failure) bool {
	if errors.Is(failure.Cause, ErrFailedAnswer) {
		return true // perhaps by what was asked, so it says nothing about its health
	}
	if !isProvidersFault(failure.Status) {
		c.health.Succeeded(failure.Upstream.Name)
		return false
	}
	c.health.Failed(failure.Upstream.Name)
	return true
}

// isProvidersFault tells faults of a provider, or of our account there, from those
// of the request.
func isProvidersFault(status int) bool {
	switch status {
	case 0, http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden,
		http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	}
	return status >= 500 || status < 400
}

func (c *Client) try(ctx, client context.Context, upstream Upstream, exchange Exchange) (*Answer, *Failure) {
	patience := newPatience(ctx, client, upstream.Timeouts, c.DrainTime)
	failed := func(err error) *Failure {
		patience.end()
		return &Failure{Upstream: upstream, Cause: err}
	}
	request, err := exchange.Request(patience.ctx, upstream)
	if err != nil {
		return nil, failed(err)
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return nil, failed(patience.reason(err))
	}
	body := &patientBody{ReadCloser: response.Body, patience: patience, isStream: IsStream(response.Header)}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		defer body.Close()
		text, _ := io.ReadAll(io.LimitReader(body, maxErrorBytes)) // a part of it says enough
		return nil, &Failure{Upstream: upstream, Status: response.StatusCode, Header: response.Header, Body: text}
	}
	buffered := bufio.NewReaderSize(body, copyBufferBytes)
	if _, err := buffered.Peek(1); err != nil {
		if errors.Is(err, io.EOF) {
			err = errEmptyAnswer
		}
		body.Close()
		return nil, failed(err)
	}
	began := time.Now()
	if err := exchange.check(response.Header, buffered); err != nil {
		body.Close()
		return nil, failed(err)
	}
	return &Answer{
		Upstream: upstream, Header: response.Header, Status: response.StatusCode, Began: began,
		Body: struct {
			io.Reader
			io.Closer
		}{buffered, body},
	}, nil
}
