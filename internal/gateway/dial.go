package gateway

import (
	"context"
	"crypto/tls"
	"net/http"
)

// NewSocketTransport makes the transport of sockets: NewTransport without HTTP/2,
// which has no upgrade.
func NewSocketTransport(guard Guard) *http.Transport {
	transport := NewTransport(guard)
	transport.ForceAttemptHTTP2 = false
	transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	return transport
}

// Dial tries one upstream after the other until one takes the socket, in the order
// of Call and with the same memory of who fails. dial returns the status of a
// refusal, 0 where there was no answer.
//
// An error is a *Failure.
func (c *Client) Dial(ctx context.Context, upstreams []Upstream, dial func(context.Context, Upstream) (status int, err error)) (Upstream, error) {
	last := &Failure{Cause: errNoUpstream}
	for _, upstream := range Order(upstreams, c.health, c.random) {
		status, err := dial(ctx, upstream)
		if err == nil {
			c.health.Succeeded(upstream.Name)
			return upstream, nil
		}
		last = &Failure{Upstream: upstream, Status: status, Cause: err}
		if ctx.Err() != nil || !c.judge(last) {
			break
		}
	}
	return Upstream{}, last
}
