package hooks

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"sync"
	"time"

	"sokuji/internal/ledger"
)

// What is kept of settled calls for their repetition: in memory only, because it
// is what a user asked a model.
const (
	maxKeptAnswerBytes = 1 << 20
	maxKeptBytes       = 64 << 20
	maxKeptCalls       = 20_000
	keptFor            = 10 * time.Minute
	// maxGatewayKeyBytes bounds an Idempotency-Key on /v1.
	maxGatewayKeyBytes = 255

	clientRequestHeader = "x-client-request-id"
)

// keptAnswer is what a repeated call is answered with.
type keptAnswer struct {
	status      int
	contentType string
	charged     int64
	body        []byte
}

// replays knows the calls with an Idempotency-Key: those that run, and for a while
// those that were settled. That a key was settled at all the ledger knows for ever.
type replays struct {
	now func() time.Time

	mutex sync.Mutex
	calls map[string]*replay // by settle key and wallet
	done  *list.List         // of *replay, oldest first
	bytes int
}

type replay struct {
	name        string
	fingerprint [sha256.Size]byte
	finished    chan struct{} // closed when the call is settled or given up
	settledAt   time.Time
	kept        *keptAnswer // nil: too long, or not whole
	element     *list.Element
}

func newReplays(now func() time.Time) *replays {
	return &replays{now: now, calls: make(map[string]*replay), done: list.New()}
}

// begin enters a call, or returns the one that has its name already.
func (r *replays) begin(name string, fingerprint [sha256.Size]byte) (mine *replay, other *replay) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.forget()
	if other := r.calls[name]; other != nil {
		return nil, other
	}
	mine = &replay{name: name, fingerprint: fingerprint, finished: make(chan struct{})}
	r.calls[name] = mine
	return mine, nil
}

// settled keeps the answer of a call.
func (r *replays) settled(call *replay, kept *keptAnswer) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	call.settledAt, call.kept = r.now(), kept
	call.element = r.done.PushBack(call)
	r.bytes += kept.size()
	close(call.finished)
	r.forget()
}

// abandoned frees the name of a call that was not settled.
func (r *replays) abandoned(call *replay) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.calls, call.name)
	close(call.finished)
}

// forget drops the oldest settled calls until the rest is within bounds.
func (r *replays) forget() {
	for first := r.done.Front(); first != nil; first = r.done.Front() {
		oldest := first.Value.(*replay)
		isOver := r.now().Sub(oldest.settledAt) >= keptFor
		if !isOver && r.bytes <= maxKeptBytes && r.done.Len() <= maxKeptCalls {
			return
		}
		r.done.Remove(first)
		r.bytes -= oldest.kept.size()
		delete(r.calls, oldest.name)
	}
}

func (k *keptAnswer) size() int {
	if k == nil {
		return 0
	}
	return len(k.body)
}

// replayTicket is a call's hold on its Idempotency-Key. The nil ticket, of a call
// without one, does nothing.
type replayTicket struct {
	replays   *replays
	mine      *replay
	settleKey string
	isDone    bool
}

// finish says that the call is settled; kept is nil where its answer cannot be
// repeated.
func (t *replayTicket) finish(kept *keptAnswer) {
	if t == nil || t.isDone {
		return
	}
	t.isDone = true
	t.replays.settled(t.mine, kept)
}

// abandon frees the key, unless the call was settled.
func (t *replayTicket) abandon() {
	if t == nil || t.isDone {
		return
	}
	t.isDone = true
	t.replays.abandoned(t.mine)
}

// repetitionName is what a client calls this one call: its Idempotency-Key or, for
// clients that only number their requests, its x-client-request-id together with
// the body, because a number may stand for several requests of one task. "": the
// call has no name and is never a repetition.
func (c *call) repetitionName(fingerprint [sha256.Size]byte) (string, error) {
	key, number := c.event.Request.Header.Get("Idempotency-Key"), c.event.Request.Header.Get(clientRequestHeader)
	if len(key) > maxGatewayKeyBytes {
		return "", ledger.Invalid("Idempotency-Key", "Idempotency-Key has more than 255 bytes: choose a shorter one.")
	}
	if key == "" && number != "" && len(number) <= maxGatewayKeyBytes {
		key = "request " + number + " " + hex.EncodeToString(fingerprint[:])
	}
	return key, nil
}

// replayOrBegin answers a repeated call with the first result. Otherwise it takes
// the key for this one.
func (c *call) replayOrBegin() (replayed bool, err error) {
	digest := sha256.New()
	if err := c.content.digest(digest); err != nil {
		return false, err
	}
	fingerprint := [sha256.Size]byte(digest.Sum(nil))
	key, err := c.repetitionName(fingerprint)
	if key == "" || err != nil {
		return false, err
	}
	// Hashed, because it is the client's text and may be as long as the ledger's bound.
	hashed := sha256.Sum256([]byte(key))
	// The ledger takes keys that begin so from the gateway only.
	settleKey := gatewayReference + string(c.route.endpoint) + ":" + hex.EncodeToString(hashed[:])
	name := c.caller.userID + " " + settleKey
	for {
		mine, other := c.server.gateway.replays.begin(name, fingerprint)
		if mine != nil {
			c.ticket = &replayTicket{replays: c.server.gateway.replays, mine: mine, settleKey: settleKey}
			return false, c.refuseSettledBefore()
		}
		if other.fingerprint != fingerprint {
			return false, &ledger.Error{Code: ledger.CodeIdempotencyMismatch, Message: "This Idempotency-Key was used before with another body: send the same body, or choose a new key."}
		}
		select {
		case <-other.finished:
		case <-c.client.Done():
			return false, context.Cause(c.client)
		}
		if !other.settledAt.IsZero() {
			return true, c.repeat(other.kept)
		}
	}
}

// refuseSettledBefore refuses a key that the ledger has a settlement for although
// no answer is kept: nobody gets a second answer for one charge.
func (c *call) refuseSettledBefore() error {
	settled, err := c.server.store.HasRequest(c.event.Request.Context(), ledger.RequestKey{
		Subject: c.bill.request.Subject, Kind: ledger.KindSettle, Key: c.ticket.settleKey,
	})
	if err == nil && settled {
		err = keyReused()
	}
	if err != nil {
		c.ticket.abandon()
	}
	return err
}

func keyReused() error {
	return &refusal{
		status: http.StatusConflict, code: "idempotency_key_reused", title: "Idempotency key reused",
		message: "This Idempotency-Key belongs to a call that was charged, and whose answer is no longer kept: choose a new key to call, and be charged, again.",
	}
}

func (c *call) repeat(kept *keptAnswer) error {
	if kept == nil {
		return keyReused()
	}
	header := c.event.Response.Header()
	header.Set("Idempotent-Replayed", "true")
	header.Set("Content-Type", kept.contentType)
	header.Set(chargedTokensHeader, strconv.FormatInt(kept.charged, 10))
	return c.writeWhole(kept.status, kept.body)
}
