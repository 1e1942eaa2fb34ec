package realtime

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// heardItem is a piece of the client's audio that has become an item, until it is
// written down. What that costs is owed once the provider has begun, or will.
type heardItem struct {
	isCommitted bool
	sound       int64   // bytes of PCM
	said        counter // of its transcript

	hold  Hold // nil: nothing is owed
	model string
	rates pricing.Rates
}

// counted is our count of what writing it down costs: by time where the price is.
func (h *heardItem) counted() pricing.Usage {
	if h.rates.Milliseconds > 0 {
		return pricing.Usage{Milliseconds: roundedUp(h.sound, audioBytesPerMillisecond)}
	}
	usage := h.said.usage(pcmBytesSaid)
	usage.InAudio = roundedUp(h.sound, pcmBytesHeard)
	return priced(usage, h.rates)
}

// committed notes that the provider has made an item of what was in its buffer.
func (t *Turns) committed(ctx context.Context, id string) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.buffer.isReported = true
	item, err := t.itemOf(ctx, id)
	if err != nil {
		return err
	}
	heard := t.takeBuffer()
	if item == nil { // it was written down before
		return t.cover(ctx, heard)
	}
	item.isCommitted = true
	item.sound += heard.sound
	if t.isWrittenDown {
		err = t.owe(ctx, item)
	}
	return errors.Join(err, t.cover(ctx, heard))
}

// takeBuffer moves a piece of the buffer to what the next response hears.
func (t *Turns) takeBuffer() addition {
	heard := addition{sound: t.buffer.commit()}
	t.added = t.added.plus(heard)
	return heard
}

// itemOf finds an item, or begins to follow it; nil if it is paid for.
func (t *Turns) itemOf(ctx context.Context, id string) (*heardItem, error) {
	if item := t.items[id]; item != nil {
		return item, nil
	}
	if t.billed.known[t.keyOfItem(id)] {
		return nil, nil
	}
	var err error
	if len(t.itemOrder) == maxHeardItems {
		err = t.closeItem(ctx, t.itemOrder[0], ByEstimate)
	}
	item := new(heardItem)
	t.items[id], t.itemOrder = item, append(t.itemOrder, id)
	return item, err
}

// keyOfItem names the bill of an item's transcript as the provider's report does.
func (t *Turns) keyOfItem(id string) string {
	return t.keyOf(metering.RealtimeTranscriptionDone, metering.RealtimeTranscriptionKey(id, 0))
}

// owe makes sure that an item's transcript can be charged. It takes the hold beside
// the turns along, so that it can be also when no new one is granted.
func (t *Turns) owe(ctx context.Context, item *heardItem) (err error) {
	if item.hold == nil {
		if err = t.takeBeside(ctx, item); err != nil {
			return err
		}
	}
	if need := transcriptOf(item.sound, item.rates); !item.hold.Covers(need) {
		err = item.hold.Extend(ctx, need)
	}
	return errors.Join(err, t.reserve(ctx))
}

func (t *Turns) takeBeside(ctx context.Context, item *heardItem) (err error) {
	rates, err := t.wallet.Rates(t.scribe)
	hold := t.beside // what is reserved is charged, also from a key that is closed to the model now
	if hold == nil && err == nil {
		hold, err = t.wallet.Hold(ctx, t.scribe, aside(rates))
	}
	if hold == nil {
		return fmt.Errorf("%w: a transcript: %v", errNoHold, err)
	}
	item.hold, item.model, item.rates, t.beside = hold, t.scribe, rates, nil
	return nil
}

// writesDown follows a transcript that comes in pieces.
func (t *Turns) writesDown(ctx context.Context, id string, message []byte) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	item, err := t.itemOf(ctx, id)
	if item == nil {
		return err
	}
	item.said.add(eventTranscriptDelta, message)
	if item.hold != nil {
		return err
	}
	return errors.Join(err, t.owe(ctx, item))
}

// billTranscript charges what writing down an item cost.
func (t *Turns) billTranscript(ctx context.Context, event serverEvent, bill Bill, reported bool) error {
	item := t.forget(event.ItemID)
	if item == nil {
		item = new(heardItem)
	}
	if !item.isCommitted {
		item.sound += t.takeBuffer().sound
	}
	if item.hold == nil {
		if err := t.takeBeside(ctx, item); err != nil {
			return err
		}
	}
	bill.Model = item.model
	if !reported {
		if item.said.isEmpty() {
			item.said.addText(event.Transcript)
		}
		bill.Usage, bill.SettledBy = item.counted(), ByEstimate
	}
	if !reported && bill.Usage == (pricing.Usage{}) {
		return errors.Join(item.hold.Release(ctx), t.reserve(ctx))
	}
	return errors.Join(item.hold.Settle(ctx, bill), t.reserve(ctx))
}

// notWrittenDown gives back what was held for a transcript that failed.
func (t *Turns) notWrittenDown(ctx context.Context, id string) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if item := t.forget(id); item != nil && item.hold != nil {
		return item.hold.Release(ctx)
	}
	return nil
}

func (t *Turns) forget(id string) *heardItem {
	item := t.items[id]
	if item != nil {
		delete(t.items, id)
		t.itemOrder = slices.DeleteFunc(t.itemOrder, func(other string) bool { return other == id })
	}
	return item
}

// closeItem charges what is owed for an item by our count.
func (t *Turns) closeItem(ctx context.Context, id, settledBy string) error {
	item := t.forget(id)
	if item.hold == nil {
		return nil
	}
	if !item.isCommitted {
		item.sound += t.takeBuffer().sound
	}
	usage := item.counted()
	key := t.keyOfItem(id)
	if !t.billed.add(key) || usage == (pricing.Usage{}) {
		return item.hold.Release(ctx)
	}
	return item.hold.Settle(ctx, Bill{Key: key, Model: item.model, Usage: usage, SettledBy: settledBy})
}

// coverTranscript reserves for writing down what is in the buffer, before more of it
// is passed on.
func (t *Turns) coverTranscript(ctx context.Context) error {
	if !t.isWrittenDown || t.beside == nil || t.buffer.inBuffer() <= transcriptionPCM {
		return nil
	}
	rates, err := t.wallet.Rates(t.scribe)
	if err != nil {
		return err
	}
	if t.beside.Covers(transcriptOf(min(t.buffer.inBuffer(), maxOpenPCM), rates)) {
		return nil
	}
	return t.beside.Extend(ctx, aside(rates))
}
