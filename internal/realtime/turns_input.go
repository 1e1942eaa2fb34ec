package realtime

import (
	"context"
	"encoding/json"

	"sokuji/internal/pricing"
)

// nextTurn is what the response that comes next is taken for, whichever it is.
func (t *Turns) nextTurn() pricing.Usage {
	added := t.added.plus(addition{sound: min(t.buffer.inBuffer(), maxOpenPCM)})
	for _, apart := range t.apart {
		added = added.plus(apart)
	}
	return priced(nextTurn(t.last, t.folded(added)), t.rates)
}

// folded counts an addition in the classes that the model has a price for.
func (t *Turns) folded(added addition) pricing.Usage {
	usage, _ := pricing.Fold(added.usage(), t.rates)
	return usage
}

// append reserves what a piece of audio may cost before it is passed on: to hear it,
// and to write it down.
func (t *Turns) append(ctx context.Context, audio []byte) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	more := addition{sound: t.heard().pcm(decodedBytes(audio))}
	t.buffer.write(more.sound)
	if err := t.coverTranscript(ctx); err != nil {
		return err
	}
	return t.cover(ctx, addition{sound: min(more.sound, maxOpenPCM)})
}

// heard is the sound of the client. Until the provider has confirmed a change, what
// makes more of it counts.
func (t *Turns) heard() sound {
	return sound{heard: min(t.sound.heard, t.asked.heard), said: t.sound.said}
}

func (t *Turns) askBuffer(clears bool) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.buffer.ask(clears)
}

// add reserves what the client adds to the input, before it is passed on.
func (t *Turns) add(ctx context.Context, event clientEvent) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	more := event.additionOf(t.heard())
	if event.isApart() && len(t.apart) < maxApartAsks {
		t.apart = append(t.apart, more)
		return t.cover(ctx, more)
	}
	if _, isGiven := event.ownInput(); isGiven {
		t.replacing++
	}
	t.added = t.added.plus(more)
	return t.cover(ctx, more)
}

// cover extends the hold of the next turn when something was added to it. While a
// response runs, it waits for the hold of the next.
func (t *Turns) cover(ctx context.Context, more addition) error {
	if t.next == nil || t.next.Covers(t.nextTurn()) {
		return nil
	}
	if err := t.wallet.MaySpend(ctx); err != nil {
		return err
	}
	step := t.folded(more)
	step.InText, step.InAudio = max(step.InText, turnInText), max(step.InAudio, turnInAudio)
	return t.next.Extend(ctx, priced(step, t.rates))
}

// hear counts what a response hears. One that the client asked for apart hears only
// what was brought along for it, if the provider says so too.
func (t *Turns) hear(started *response, conversation json.RawMessage) {
	isNamed := len(conversation) > 0 && string(conversation) != "null"
	if len(t.apart) > 0 && !isNamed {
		own := t.apart[0]
		t.apart = t.apart[1:]
		if started.isApart = len(conversation) > 0; started.isApart {
			started.heard = t.folded(own)
			return
		}
		t.added = t.added.plus(own)
	}
	if t.replacing > 0 {
		t.replacing--
		started.isReplacing = true
	}
	if !t.buffer.isReported {
		t.takeBuffer()
	}
	started.heard = heardNext(t.last, t.folded(t.added))
	t.added = addition{}
}

// followBuffer notes what the provider says about its buffer.
func (t *Turns) followBuffer(kind string, event serverEvent) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	switch kind {
	case eventCleared:
		t.buffer.clear()
	case eventSpeechStarted:
		t.buffer.speechStarted(event.AudioStartMS)
	case eventSpeechStopped:
		t.buffer.speechStopped(event.AudioEndMS)
	case eventError:
		if event.Error.Code == codeNothingToCommit {
			t.buffer.answered()
		}
	}
}
