package realtime

import (
	"bytes"
	"context"
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
	closed  bool

	sound  sound // as the provider describes it
	asked  sound // as the client asked for it last
	buffer audioBuffer
	added  addition   // to what is heard, since the last response began
	apart  []addition // to responses that the client asked for and that hear nothing else

	replacing int // responses that the client asked for with an input of their own

	scribe        string         // the model of transcriptions, "" is the session's
	isWrittenDown bool           // what the client says
	wanted        *transcription // what the client asked for and the provider has not confirmed
	items         map[string]*heardItem
	itemOrder     []string // the oldest first
}

// response is one that runs.
type response struct {
	hold        Hold
	reserved    pricing.Usage // of input
	heard       pricing.Usage // by our count
	isApart     bool          // it hears nothing of the conversation, which hears nothing of it
	isReplacing bool          // the client brought an input along, in the place of the conversation
	sound       sound
	said        counter
}

var _ Billing = (*Turns)(nil)

// NewTurns makes the billing of a session.
func NewTurns(wallet Wallet, model Model) *Turns {
	pcm := sound{heard: pcmBytesHeard, said: pcmBytesSaid}
	return &Turns{
		wallet: wallet, model: model, running: make(map[string]*response), items: make(map[string]*heardItem),
		sound: pcm, asked: pcm,
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

// FromClient sees to it that what the client adds and asks for is reserved, and that
// the session stays with models that have a price.
func (t *Turns) FromClient(ctx context.Context, message []byte) ([]byte, error) {
	if audio, isPlain := plainAppend(message); isPlain {
		return message, t.append(ctx, audio)
	}
	event, err := readClientEvent(message)
	if err != nil {
		return nil, err
	}
	switch event.kind {
	case eventAppend:
		return message, t.append(ctx, bytes.Trim(event.body.Get("audio"), `"`))
	case eventCommit, eventClear:
		t.askBuffer(event.kind == eventClear)
		return message, nil
	case eventResponseCreate:
		err = t.awaitTurn(ctx)
	case eventSessionUpdate, eventTranscriptionUpdate:
		message, err = t.changeSession(ctx, event)
	}
	if err != nil || event.addsNothing() {
		return message, err
	}
	return message, t.add(ctx, event)
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

// FromServer counts what the provider says, and charges what it reports.
func (t *Turns) FromServer(ctx context.Context, message []byte) error {
	kind := serverEventType(message)
	if isDelta(kind) {
		return t.count(ctx, kind, message)
	}
	switch kind {
	case eventResponseCreated:
		return t.begin(ctx, readServerEvent(message))
	case metering.RealtimeResponseDone, metering.RealtimeTranscriptionDone:
		return t.bill(ctx, message)
	case eventCommitted:
		return t.committed(ctx, readServerEvent(message).ItemID)
	case eventTranscriptDelta:
		return t.writesDown(ctx, readServerEvent(message).ItemID, message)
	case eventTranscriptFailed:
		return t.notWrittenDown(ctx, readServerEvent(message).ItemID)
	case eventCleared, eventSpeechStarted, eventSpeechStopped, eventError:
		t.followBuffer(kind, readServerEvent(message))
	case eventSessionCreated, eventSessionUpdated, eventTranscriptionCreated, eventTranscriptionUpdated:
		return t.learn(ctx, kind, readDescription(message))
	}
	return nil
}

func (t *Turns) begin(ctx context.Context, event serverEvent) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	_, err := t.start(ctx, event)
	return err
}

// start gives a response its hold. A second one beside it needs a hold of its own.
func (t *Turns) start(ctx context.Context, event serverEvent) (*response, error) {
	id := event.Response.ID
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
	reserved := t.nextTurn()
	reserved.OutText, reserved.OutAudio = 0, 0
	started := &response{hold: t.next, reserved: reserved, sound: t.sound}
	started.sound.choose(event.Response.described)
	t.hear(started, event.Response.Conversation)
	t.next, t.running[id] = nil, started
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
	if running.hold.Covers(withInput(t.said(running), running.reserved)) {
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
	return t.start(ctx, readServerEvent(message))
}

func (t *Turns) said(r *response) pricing.Usage {
	return priced(r.said.usage(r.sound.said), t.rates)
}

// counted is our count of a response.
func (t *Turns) counted(r *response) pricing.Usage { return withInput(t.said(r), r.heard) }
