package hooks

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/metering"
	"sokuji/internal/realtime"
)

// translations is the endpoint of models that translate what they hear.
const translations metering.Endpoint = metering.Realtime + "/translations"

// realtimeProtocol is the one sub-protocol that we confirm.
const realtimeProtocol = "realtime"

// realtimeCall is a session on its way: who opened it, who pays, who serves it.
type realtimeCall struct {
	server    *server
	event     *core.RequestEvent
	endpoint  metering.Endpoint
	caller    caller
	model     string
	upstreams []gateway.Upstream
	admission *admission
	wallet    *realtimeWallet
}

// gatewayRealtime carries a session of a realtime model.
func (s *server) gatewayRealtime(endpoint metering.Endpoint) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		leave, err := s.gateway.enter()
		if err != nil {
			return err
		}
		defer leave()
		c := &realtimeCall{server: s, event: e, endpoint: endpoint}
		if err := c.read(); err != nil {
			return err
		}
		return c.run()
	}
}

// read does all that is answered in HTTP: after it the client has a socket.
func (c *realtimeCall) read() (err error) {
	if c.caller, err = requireGatewayCaller(c.event); err != nil {
		return err
	}
	if !headerHas(c.event.Request.Header, "Upgrade", "websocket") {
		return &refusal{
			status: http.StatusUpgradeRequired, code: "upgrade_required", title: "Upgrade required",
			message: "This route speaks WebSocket: connect to it with wss:// (or ws://) instead of https://.",
		}
	}
	query := c.event.Request.URL.Query()
	if c.model = query.Get("model"); c.model == "" {
		c.model = query.Get("deployment") // Azure's clients
	}
	if c.model == "" {
		return ledger.Invalid("model", "model is missing: name it in the address, as in ?model=gpt-realtime.")
	}
	return nil
}

// run takes the client's socket and carries the session. From here on refusals are
// events: a browser shows its page nothing of an HTTP answer to a socket.
func (c *realtimeCall) run() error {
	id := newCallID()
	c.event.Response.Header().Set(requestIDHeader, id)
	refused := c.prepare(id)
	if c.admission != nil {
		defer c.admission.done(0) // its turns were counted one by one
	}
	socket, err := websocket.Accept(c.event.Response, c.event.Request, &websocket.AcceptOptions{
		Subprotocols: []string{realtimeProtocol},
		// Whoever sends a cookie was asked for a trusted origin before; a key or a token
		// may come from anywhere.
		InsecureSkipVerify: true,
	})
	if err != nil {
		return nil // it has answered what is wrong with the handshake
	}
	socket.SetReadLimit(realtime.MaxMessageBytes)
	ctx := context.WithoutCancel(c.event.Request.Context()) // charges outlive the client
	if refused != nil {
		realtime.Refuse(ctx, socket, c.wallet.refusal(refused))
		return nil
	}
	session := &realtime.Session{
		Client: socket, Billing: c.billing(), Wallet: c.wallet, Dial: c.dial, Drain: c.server.gateway.ctx.Done(),
	}
	if err := session.Run(ctx); err != nil {
		c.server.app.Logger().Warn("A realtime session did not end as it should",
			slog.String("request", id), slog.String("provider", c.wallet.upstream.Name), slog.Any("error", err))
	}
	return nil
}

// prepare finds who serves the model, and whether the caller may ask for it.
func (c *realtimeCall) prepare(id string) (err error) {
	c.wallet = &realtimeWallet{
		server: c.server, event: c.event, caller: c.caller, id: id, endpoint: c.endpoint, started: time.Now(),
		request: gatewayRequest(c.caller),
	}
	if c.upstreams, err = c.server.upstreamsFor(c.endpoint, c.model); err != nil {
		return err
	}
	if c.wallet.plan, err = c.server.entitlementOf(c.event.Request.Context(), c.wallet.request.Subject); err != nil {
		return err
	}
	if c.upstreams, err = c.server.openUpstreams(c.caller, c.wallet.plan, c.endpoint, soundOfSession(c.endpoint), c.upstreams); err != nil {
		return err
	}
	c.wallet.upstream = c.upstreams[0] // until one has answered
	turn, err := c.server.takeTurn(c.event, c.caller, c.wallet.plan)
	if err != nil {
		return err
	}
	if c.admission, err = turn.admit(callAsk{session: true}, c.event.Response.Header()); err != nil {
		return err
	}
	c.wallet.admission, c.wallet.request.Spender = c.admission, c.admission.spender()
	return nil
}

func (c *realtimeCall) billing() realtime.Billing {
	model := realtime.Model{
		Names:   []string{c.model, c.wallet.upstream.Asked}, // with its provider before it, and without
		OwnName: func() string { return c.wallet.upstream.Model },
	}
	if c.endpoint == translations {
		return realtime.NewStretches(c.wallet, model)
	}
	return realtime.NewTurns(c.wallet, model)
}

// dial connects to the first provider that takes the session, and charges its price.
func (c *realtimeCall) dial(ctx context.Context) (realtime.Socket, error) {
	var socket *websocket.Conn
	upstream, err := c.server.gateway.client.Dial(ctx, c.upstreams, func(ctx context.Context, candidate gateway.Upstream) (status int, err error) {
		socket, status, err = c.dialOne(ctx, candidate)
		return status, err
	})
	if err != nil {
		return nil, c.wallet.failure(err)
	}
	c.wallet.upstream = upstream
	socket.SetReadLimit(realtime.MaxMessageBytes)
	return socket, nil
}

func (c *realtimeCall) dialOne(ctx context.Context, upstream gateway.Upstream) (*websocket.Conn, int, error) {
	request, err := upstream.NewRequest(ctx, http.MethodGet, string(metering.Realtime), nil)
	if err != nil {
		return nil, 0, err
	}
	if path, translates := strings.CutPrefix(string(c.endpoint), string(metering.Realtime)+"/"); translates {
		request.URL = request.URL.JoinPath(path)
	}
	query := request.URL.Query()
	query.Set("model", upstream.Model)
	if upstream.Kind == gateway.Azure && upstream.APIVersion != "" {
		query.Del("model")
		query.Set("deployment", upstream.Model)
	}
	request.URL.RawQuery = query.Encode()
	gateway.ForwardHeaders(request.Header, c.event.Request.Header)
	socket, response, err := websocket.Dial(ctx, request.URL.String(), &websocket.DialOptions{
		HTTPClient: c.server.gateway.sockets, HTTPHeader: request.Header, Subprotocols: []string{realtimeProtocol},
	})
	if err == nil {
		return socket, response.StatusCode, nil
	}
	if response == nil {
		return nil, 0, err
	}
	return nil, response.StatusCode, errors.New("the provider refused the socket") // its words may name a key
}

// newSocketClient makes the client of sockets, which goes where it is sent and
// nowhere else.
func newSocketClient(guard gateway.Guard) *http.Client {
	return &http.Client{
		Transport:     gateway.NewSocketTransport(guard),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// headerHas tells whether a header that is a list has a word.
func headerHas(header http.Header, name, word string) bool {
	for _, line := range header.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), word) {
				return true
			}
		}
	}
	return false
}
