package realtime

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// bill charges what a provider reported, once.
func (t *Turns) bill(ctx context.Context, message []byte) error {
	event, billable := metering.ParseRealtimeEvent(message)
	if !billable {
		return nil
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	key := t.keyOf(event.Type, event.DedupeKey)
	if !t.billed.add(key) {
		return nil
	}
	bill := Bill{
		Key: key, Event: event.Type, ResponseID: event.ResponseID, Usage: event.Report.Usage,
		SettledBy: ByProvider, Anomalies: event.Report.Anomalies,
	}
	if event.Type == metering.RealtimeTranscriptionDone {
		return t.billTranscript(ctx, readServerEvent(message), bill, event.Report.Found)
	}
	return t.billResponse(ctx, bill, event.Report.Found)
}

// keyOf names what the provider left without a name.
func (t *Turns) keyOf(kind, key string) string {
	if key != "" {
		return kind + ":" + key
	}
	t.unnamed++
	return fmt.Sprintf("%s:unnamed:%d", kind, t.unnamed)
}

func (t *Turns) billResponse(ctx context.Context, bill Bill, reported bool) error {
	running := t.running[bill.ResponseID] // nil for one that was never announced
	delete(t.running, bill.ResponseID)
	if reported {
		t.remember(running, bill.Usage)
		return errors.Join(settle(ctx, t.holdFor(running), bill), t.reserve(ctx))
	}
	if running == nil {
		return nil
	}
	t.remember(running, t.counted(running)) // the next hears it, too
	if running.said.isEmpty() {
		return t.giveBack(ctx, running.hold)
	}
	bill.Usage, bill.SettledBy = t.counted(running), ByEstimate
	return errors.Join(settle(ctx, running.hold, bill), t.reserve(ctx))
}

// remember notes what a response consumed, for the next: not one that says nothing
// about the conversation, nor what is not believed.
func (t *Turns) remember(running *response, usage pricing.Usage) {
	if !metering.IsPlausible(usage) {
		return
	}
	if running != nil && (running.isApart || running.isReplacing && inputOf(usage) < inputOf(t.last)) {
		return
	}
	t.last, _ = pricing.Fold(usage, t.rates)
}

// holdFor takes the hold that pays for a response: its own, or, for one that was
// never announced, the next or the one beside.
func (t *Turns) holdFor(running *response) (hold Hold) {
	switch {
	case running != nil:
		hold = running.hold
	case t.next != nil:
		hold, t.next = t.next, nil
	default:
		hold, t.beside = t.beside, nil
	}
	return hold
}

// giveBack keeps the hold of a response that cost nothing for the next one.
func (t *Turns) giveBack(ctx context.Context, hold Hold) error {
	if t.next != nil {
		return hold.Release(ctx)
	}
	t.next = hold
	return errors.Join(t.reserve(ctx), t.cover(ctx, t.added))
}

// errNoHold is for the log: a cost came when every hold was gone.
var errNoHold = errors.New("a cost came after the last hold was closed, and is not charged")

func settle(ctx context.Context, hold Hold, bill Bill) error {
	if hold == nil {
		return fmt.Errorf("%w: %s", errNoHold, bill.Key)
	}
	return hold.Settle(ctx, bill)
}

// Running lists the responses that have no price yet.
func (t *Turns) Running() []string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	ids := make([]string, 0, len(t.running))
	for id := range t.running {
		ids = append(ids, id)
	}
	return ids
}

// IsOwed tells whether a response runs, or a transcription is under way.
func (t *Turns) IsOwed() bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for _, item := range t.items {
		if item.hold != nil {
			return true
		}
	}
	return len(t.running) > 0
}

// Close charges what responses said that never came to their end.
func (t *Turns) Close(ctx context.Context) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	var errs []error
	for id, running := range t.running {
		errs = append(errs, t.closeResponse(ctx, id, running))
	}
	clear(t.running)
	for _, id := range slices.Clone(t.itemOrder) {
		errs = append(errs, t.closeItem(ctx, id, ByPartial))
	}
	for _, hold := range []Hold{t.next, t.beside} {
		if hold != nil {
			errs = append(errs, hold.Release(ctx))
		}
	}
	t.next, t.beside = nil, nil
	return errors.Join(errs...)
}

func (t *Turns) closeResponse(ctx context.Context, id string, running *response) error {
	if running.said.isEmpty() {
		return running.hold.Release(ctx)
	}
	key := t.keyOf(partOfResponse, id) // no report can come any more that would have its key
	return running.hold.Settle(ctx, Bill{Key: key, ResponseID: id, Usage: t.counted(running), SettledBy: ByPartial})
}
