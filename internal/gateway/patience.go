package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// How long an answer is read on after its client went away, so that the provider's
// own count still comes. After that it is cut, and what was counted is billed.
const (
	DrainTime  = 30 * time.Second
	DrainBytes = 1 << 20
	// drainEventBytes is how much more is read of a stream to finish the event that
	// DrainBytes ended in: a picture's event is long, and has its count at the end.
	drainEventBytes = maxEventBytes
	// lineEndBytes is how much of an empty line can stand at the end of a piece.
	lineEndBytes = len("\n\r")
)

// patience bounds the phases of one try: the time to the first byte, the time
// between two pieces, the whole, and what is read for a client that is gone.
type patience struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	client context.Context

	firstByte, total *time.Timer
	idle             *time.Timer // from the first byte on
	idleTime         time.Duration

	drainTime     time.Duration
	stopListening func() bool

	mutex sync.Mutex
	drain *time.Timer // since the client is gone
	ended bool
}

func newPatience(parent, client context.Context, timeouts Timeouts, drainTime time.Duration) *patience {
	ctx, cancel := context.WithCancelCause(parent)
	timeouts = timeouts.OrDefaults()
	p := &patience{ctx: ctx, cancel: cancel, client: client, idleTime: timeouts.Idle, drainTime: drainTime}
	p.firstByte = time.AfterFunc(timeouts.FirstByte, func() { cancel(ErrFirstByteTimeout) })
	p.total = time.AfterFunc(timeouts.Total, func() { cancel(ErrTotalTimeout) })
	p.stopListening = context.AfterFunc(client, p.clientGone)
	return p
}

func (p *patience) clientGone() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !p.ended {
		p.drain = time.AfterFunc(p.drainTime, func() { p.cancel(ErrClientGone) })
	}
}

// progressed starts the wait for the next piece.
func (p *patience) progressed() {
	if p.idle == nil {
		p.firstByte.Stop()
		p.idle = time.AfterFunc(p.idleTime, func() { p.cancel(ErrIdleTimeout) })
		return
	}
	p.idle.Reset(p.idleTime)
}

// reason replaces an error that follows from our own cut by why we cut.
func (p *patience) reason(err error) error {
	if cause := context.Cause(p.ctx); cause != nil && !errors.Is(err, io.EOF) {
		return cause
	}
	return err
}

func (p *patience) end() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.ended = true
	p.stopListening()
	for _, timer := range []*time.Timer{p.firstByte, p.total, p.idle, p.drain} {
		if timer != nil {
			timer.Stop()
		}
	}
	p.cancel(context.Canceled)
}

// patientBody is a body whose reading keeps the call alive, within its bounds.
type patientBody struct {
	io.ReadCloser
	patience *patience
	drained  int64 // bytes since the client went away
	isStream bool
	lineEnd  []byte // the end of what was read, where an empty line may begin
}

func (b *patientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.patience.progressed()
	}
	if b.patience.client.Err() != nil && b.isDrained(p[:n]) {
		b.patience.cancel(ErrClientGone)
		return n, ErrClientGone
	}
	if err != nil {
		err = b.patience.reason(err)
	}
	return n, err
}

// isDrained tells whether enough was read for a client that is gone.
func (b *patientBody) isDrained(piece []byte) bool {
	b.drained += int64(len(piece))
	more := b.drained - DrainBytes
	if !b.isStream || more > drainEventBytes {
		return more > 0
	}
	seen := append(b.lineEnd, piece...)
	b.lineEnd = bytes.Clone(seen[max(0, len(seen)-lineEndBytes):])
	return more > 0 && hasEvent(seen[max(0, len(seen)-int(more)-lineEndBytes):])
}

func (b *patientBody) Close() error {
	b.patience.end()
	return b.ReadCloser.Close()
}
