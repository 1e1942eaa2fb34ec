package realtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// Turns bills a model that answers, by the provider's report at the end of each
// response and of each transcription.
//
// Two holds are open while nothing is said: one for the response that comes next,
// which may come at any time where the provider hears by itself that a speaker has
// finished; and one for costs beside it. A response takes the first along, so that
// what runs can be recorded also when no new hold is granted any more.
type Turns struct {
	wallet Wallet
	model  Model
	rates  pricing.Rates

	mutex   sync.Mutex
	next    Hold // for the response that comes next; nil while one runs
	beside  Hold
	running map[string]*response
	billed  keys
	unnamed int           // billed events without a name
	last    pricing.Usage // what the newest response cost
	scribe  string        // the model of transcriptions, "" is the session's
	sound   sound
	closed  bool

	// What the client has added to the input since the last response began, in bytes.
	addedText, addedAudio int64
}

// response is one that runs.
type response struct {
	hold  Hold
	input pricing.Usage // what it is taken to hear
	said  counter
}

var _ Billing = (*Turns)(nil)

// NewTurns makes the billing of a session.
func NewTurns(wallet Wallet, model Model) *Turns {
	return &Turns{
		wallet: wallet, model: model, running: make(map[string]*response),
		sound: sound{heard: pcmBytesHeard, said: pcmBytesSaid},
	}
}

// Open reserves the first turn.
func (t *Turns) Open(ctx context.Context) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	var err error
	if t.rates, err = t.wallet.Rates(""); err != nil {
		return err
	}
	if t.rates.InText == 0 && t.rates.InAudio == 0 {
		return &Refusal{
			Type: invalidRequest, Code: "model_not_found", Param: "model",
			Message: fmt.Sprintf("The model %q is not priced by the turn: it is not served on /v1/realtime.", t.model.Names[0]),
		}
	}
	return t.reserve(ctx)
}

// reserve opens the holds that are missing.
func (t *Turns) reserve(ctx context.Context) error {
	if err := t.wallet.MaySpend(ctx); err != nil {
		return err
	}
	if t.next == nil && len(t.running) == 0 {
		if err := t.reserveTurn(ctx); err != nil {
			return err
		}
	}
	if t.beside != nil {
		return nil
	}
	rates, err := t.wallet.Rates(t.scribe)
	if err != nil {
		return err
	}
	t.beside, err = t.wallet.Hold(ctx, t.scribe, aside(rates))
	return err
}

func (t *Turns) reserveTurn(ctx context.Context) (err error) {
	t.next, err = t.wallet.Hold(ctx, "", t.nextTurn())
	return err
}

// nextTurn is what the response that comes next is taken for.
func (t *Turns) nextTurn() pricing.Usage {
	return priced(nextTurn(t.last, addedInput(t.addedText, t.addedAudio, t.sound.heard)), t.rates)
}

// FromClient sees to it that what the client adds and asks for is reserved, and that
// the session stays with models that have a price.
func (t *Turns) FromClient(ctx context.Context, message []byte) ([]byte, error) {
	if isPlainAppend(message) {
		return message, t.add(ctx, 0, int64(len(message))*base64Bytes/base64Letters)
	}
	event, err := readClientEvent(message)
	if err != nil {
		return nil, err
	}
	switch event.kind {
	case eventAppend:
		return message, t.add(ctx, 0, decodedBytes(bytes.Trim(event.body.Get("audio"), `"`)))
	case eventResponseCreate:
		err = t.awaitTurn(ctx)
	case eventSessionUpdate, eventTranscriptionUpdate:
		message, err = t.changeSession(ctx, event)
	}
	if err != nil {
		return nil, err
	}
	return message, t.add(ctx, int64(len(message)), 0)
}

// In base64 four letters are three bytes.
const base64Bytes, base64Letters = 3, 4

// add reserves what the client adds to the input, before it is passed on. While a
// response runs, it waits for the hold of the next.
func (t *Turns) add(ctx context.Context, textBytes, audioBytes int64) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.addedText += textBytes
	t.addedAudio += audioBytes
	if t.next == nil || t.next.Covers(t.nextTurn()) {
		return nil
	}
	if err := t.wallet.MaySpend(ctx); err != nil {
		return err
	}
	step := addedInput(textBytes, audioBytes, t.sound.heard)
	step.InText, step.InAudio = max(step.InText, turnInText), max(step.InAudio, turnInAudio)
	return t.next.Extend(ctx, priced(step, t.rates))
}

func (t *Turns) awaitTurn(ctx context.Context) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.next != nil {
		return nil
	}
	if err := t.wallet.MaySpend(ctx); err != nil {
		return err
	}
	return t.reserveTurn(ctx)
}

func (t *Turns) changeSession(ctx context.Context, event clientEvent) ([]byte, error) {
	message, err := t.model.check(event)
	if err != nil {
		return nil, err
	}
	scribe, err := event.transcriptionModel()
	if err != nil || scribe == "" {
		return message, err
	}
	if _, err := t.wallet.Rates(scribe); err != nil {
		return nil, keepOpen(err, event.id)
	}
	return message, t.writeDownWith(ctx, scribe)
}

// writeDownWith moves the hold beside the turns to another model.
func (t *Turns) writeDownWith(ctx context.Context, scribe string) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if scribe == t.scribe {
		return nil
	}
	old := t.beside
	t.scribe, t.beside = scribe, nil
	err := t.reserve(ctx)
	if old == nil {
		return err
	}
	return errors.Join(err, old.Release(ctx))
}

// keepOpen lets the session go on without the message that was refused.
func keepOpen(err error, eventID string) error {
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok {
		return err
	}
	kept := *refusal
	kept.KeepOpen, kept.EventID = true, eventID
	return &kept
}

// FromServer counts what the provider says, and charges what it reports.
func (t *Turns) FromServer(ctx context.Context, message []byte) error {
	kind := serverEventType(message)
	switch {
	case kind == eventResponseCreated:
		return t.begin(ctx, responseIDOf(message))
	case kind == metering.RealtimeResponseDone, kind == metering.RealtimeTranscriptionDone:
		return t.bill(ctx, message)
	case isDelta(kind):
		return t.count(ctx, kind, message)
	case kind == eventSessionCreated, kind == eventSessionUpdated:
		t.learn(message)
	}
	return nil
}

// learn notes what the provider says about the sound of the session.
func (t *Turns) learn(message []byte) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.sound.learn(message)
}

func (t *Turns) begin(ctx context.Context, id string) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	_, err := t.start(ctx, id)
	return err
}

// start gives a response its hold. A second one beside it needs a hold of its own.
func (t *Turns) start(ctx context.Context, id string) (*response, error) {
	if started := t.running[id]; started != nil {
		return started, nil
	}
	if len(t.running) >= maxResponses {
		return nil, &Refusal{Type: invalidRequest, Code: "too_many_responses", Message: "Too many responses run at the same time."}
	}
	if t.next == nil {
		if err := t.reserveTurn(ctx); err != nil {
			return nil, err
		}
	}
	input := t.nextTurn()
	input.OutText, input.OutAudio = 0, 0
	started := &response{hold: t.next, input: input}
	t.next, t.running[id] = nil, started
	t.addedText, t.addedAudio = 0, 0
	return started, nil
}

// count follows a response, and adds to its hold when that is used up.
func (t *Turns) count(ctx context.Context, kind string, message []byte) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	running, err := t.runs(ctx, message)
	if err != nil {
		return err
	}
	running.said.add(kind, message)
	if running.hold.Covers(withInput(t.counted(running), running.input)) {
		return nil
	}
	if err := t.wallet.MaySpend(ctx); err != nil {
		return err
	}
	return running.hold.Extend(ctx, priced(moreOutput(), t.rates))
}

// runs finds the response of a message, without reading the message where only one
// runs.
func (t *Turns) runs(ctx context.Context, message []byte) (*response, error) {
	if len(t.running) == 1 {
		for _, only := range t.running {
			return only, nil
		}
	}
	return t.start(ctx, responseIDOf(message))
}

func (t *Turns) counted(r *response) pricing.Usage {
	return priced(r.said.usage(t.sound.said), t.rates)
}
