package realtime

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"sokuji/internal/gateway"
	"sokuji/internal/metering"
)

// Session is one client's session with one provider.
type Session struct {
	Client  Socket
	Billing Billing
	Wallet  Wallet
	// Dial calls the provider, once the first cost is reserved.
	Dial func(ctx context.Context) (Socket, error)
	// Drain is closed when the server shuts down.
	Drain <-chan struct{}
}

// Run carries the session to its end, and returns when all is charged and both
// sockets are closed. ctx must outlive the client's request: it is what charges.
// The error is why the session ended, for the log; nil is an ending that somebody
// wanted.
func (s *Session) Run(ctx context.Context) error {
	if err := s.Billing.Open(ctx); err != nil {
		return s.refuse(ctx, err)
	}
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	provider, err := s.Dial(dialing)
	cancel()
	if err != nil {
		return s.refuse(ctx, err)
	}
	r := &relay{session: s, provider: provider, providerRead: make(chan struct{}), over: make(chan struct{})}
	r.heard()
	return r.run(ctx)
}

// refuse ends a session that never began.
func (s *Session) refuse(ctx context.Context, err error) error {
	closing := s.Billing.Close(ctx)
	tell(ctx, s.Client, refusalOf(err))
	return ending(err, closing)
}

// relay is a session under way.
type relay struct {
	session      *Session
	provider     Socket
	providerRead chan struct{} // closed when the provider says nothing more

	newest atomic.Int64 // when the newest message came, in Unix nanoseconds
	silent atomic.Bool  // nothing more is passed to the client

	end   sync.Once
	over  chan struct{} // closed when the session is to end
	cause error         // why; read it after over is closed
}

// finish decides why the session ends; the first to call it does.
func (r *relay) finish(cause error) {
	r.end.Do(func() {
		r.cause = cause
		r.silent.Store(true)
		close(r.over)
	})
}

func (r *relay) heard() { r.newest.Store(time.Now().UnixNano()) }

func (r *relay) run(ctx context.Context) error {
	toClient, cut := context.WithCancel(ctx) // cut soon after the end
	defer cut()
	var carrying, telling sync.WaitGroup
	carrying.Go(func() { r.guarded(func() error { return r.carryFromClient(ctx, toClient) }) })
	carrying.Go(func() {
		defer close(r.providerRead)
		r.guarded(func() error { return r.carryFromProvider(ctx, toClient) })
	})
	r.guarded(func() error { return r.watch(ctx) })
	defer time.AfterFunc(lastMessageTime, cut).Stop()

	telling.Go(func() {
		r.guarded(func() error { tell(ctx, r.session.Client, refusalOf(r.cause)); return nil })
	})
	r.askWhatIsOpen(ctx)
	closeWithin(r.provider, websocket.StatusNormalClosure, "")
	<-r.providerRead
	err := r.session.Billing.Close(ctx)
	telling.Wait()
	r.session.Client.CloseNow()
	carrying.Wait()
	return ending(r.cause, err)
}

// guarded ends the session with what a part of it returns, or with its panic: a
// panic in a goroutine would end the server.
func (r *relay) guarded(part func() error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			r.finish(fmt.Errorf("a realtime session panicked: %v\n%s", panicked, debug.Stack()))
		}
	}()
	if err := part(); err != nil {
		r.finish(err)
	}
}

// carryFromClient passes one message on before it reads the next, so that a slow
// provider slows the client, and nothing piles up here.
func (r *relay) carryFromClient(ctx, toClient context.Context) error {
	for {
		kind, message, err := r.session.Client.Read(ctx)
		if err != nil {
			return fmt.Errorf("%w: %w", errClientGone, err)
		}
		r.heard()
		if r.silent.Load() {
			continue // until the socket closes
		}
		if err := r.passToProvider(ctx, toClient, kind, message); err != nil {
			return err
		}
	}
}

func (r *relay) passToProvider(ctx, toClient context.Context, kind websocket.MessageType, message []byte) error {
	if kind != websocket.MessageText {
		return errBinary
	}
	message, err := r.session.Billing.FromClient(ctx, message)
	if refusal, ok := errors.AsType[*Refusal](err); ok && refusal.KeepOpen {
		if err := writeWithin(toClient, r.session.Client, websocket.MessageText, refusal.event()); err != nil {
			return fmt.Errorf("%w: %w", errClientGone, err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if err := writeWithin(ctx, r.provider, kind, message); err != nil {
		return newProviderGone(err)
	}
	return nil
}

// carryFromProvider passes on in the same way. It reads on while the session ends:
// what the provider still reports is charged. A client that takes nothing must not
// keep us from reading it.
func (r *relay) carryFromProvider(ctx, toClient context.Context) error {
	for {
		kind, message, err := r.provider.Read(ctx)
		if err != nil {
			return newProviderGone(err)
		}
		r.heard()
		refused := r.session.Billing.FromServer(ctx, message)
		if !r.silent.Load() {
			if err := writeWithin(toClient, r.session.Client, kind, shown(message)); err != nil {
				r.finish(fmt.Errorf("%w: %w", errClientGone, err))
			}
		}
		if refused != nil {
			r.finish(refused)
		}
	}
}

// shown is a message as the client sees it: an error does not name the operator's
// account at the provider.
func shown(message []byte) []byte {
	if metering.IsFailure(message) {
		return gateway.MaskAccount(message)
	}
	return message
}

// watch waits for the end of the session, and brings it about when its time is over.
func (r *relay) watch(ctx context.Context) error {
	expired := time.NewTimer(MaxSessionTime)
	defer expired.Stop()
	tick := time.NewTicker(pingInterval)
	defer tick.Stop()
	for {
		select {
		case <-r.over:
			return nil
		case <-r.session.Drain:
			return errDraining
		case <-expired.C:
			return errExpired
		case <-tick.C:
			if err := r.check(ctx); err != nil {
				return err
			}
		}
	}
}

func (r *relay) check(ctx context.Context) error {
	if time.Since(time.Unix(0, r.newest.Load())) >= maxIdleTime {
		return errIdle
	}
	go r.guarded(func() error { return r.ping(ctx, r.session.Client, errClientGone) })
	go r.guarded(func() error { return r.ping(ctx, r.provider, errProvider) })
	return r.session.Wallet.MaySpend(ctx)
}

func (r *relay) ping(ctx context.Context, socket Socket, gone error) error {
	ctx, cancel := context.WithTimeout(ctx, pongTimeout)
	defer cancel()
	if err := socket.Ping(ctx); err != nil {
		return fmt.Errorf("%w: %w", gone, err)
	}
	return nil
}

// askWhatIsOpen cancels the responses that run, and waits for the provider to say
// what they cost, and the transcriptions under way: its count is better than ours.
func (r *relay) askWhatIsOpen(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, closingTime)
	defer cancel()
	for _, id := range r.session.Billing.Running() {
		if r.provider.Write(ctx, websocket.MessageText, cancelEvent(id)) != nil {
			return
		}
	}
	tick := time.NewTicker(reportInterval)
	defer tick.Stop()
	for r.session.Billing.IsOwed() {
		select {
		case <-r.providerRead:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Refuse tells a client why there is no session for it, and closes its socket.
func Refuse(ctx context.Context, client Socket, why *Refusal) { tell(ctx, client, why) }

// tell says why a session ends, and closes the client's socket.
func tell(ctx context.Context, client Socket, refusal *Refusal) {
	if refusal == nil {
		closeWithin(client, websocket.StatusNormalClosure, "")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, closingTime)
	defer cancel()
	if client.Write(ctx, websocket.MessageText, refusal.event()) != nil {
		client.CloseNow()
		return
	}
	closeWithin(client, refusal.closeCode(), refusal.Code)
}

// ending is what is worth a line in the log: faults of ours and of the provider,
// not what a client may do at any time.
func ending(cause, closing error) error {
	switch refusalOf(cause) {
	case errInternal, errProvider:
		return errors.Join(cause, closing)
	}
	return closing
}
