package realtime

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"sokuji/internal/pricing"
)

// Stretches bills a model that translates while it hears, by the audio that it was
// sent: such a model has no turns and reports nothing. A stretch is reserved before
// it is sent, and charged when the next one begins.
type Stretches struct {
	wallet Wallet
	model  Model

	mutex  sync.Mutex
	meters []*stretch // the session's model, then the one that writes down, if any
}

// stretch is what one model heard since it was charged last.
type stretch struct {
	model    string
	hold     Hold
	bytes    int64 // heard
	reserved int64 // bytes that the hold is for
	number   int   // of the stretch, from 1
}

var _ Billing = (*Stretches)(nil)

// NewStretches makes the billing of a translation.
func NewStretches(wallet Wallet, model Model) *Stretches {
	return &Stretches{wallet: wallet, model: model}
}

// Open reserves the first stretch.
func (s *Stretches) Open(ctx context.Context) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := s.wallet.MaySpend(ctx); err != nil {
		return err
	}
	return s.hear(ctx, "")
}

// hear begins to charge for one more model.
func (s *Stretches) hear(ctx context.Context, model string) error {
	rates, err := s.wallet.Rates(model)
	if err != nil {
		return err
	}
	if rates.Milliseconds == 0 {
		if model == "" {
			model = s.model.Names[0]
		}
		return &Refusal{
			Type: invalidRequest, Code: "model_not_found", Param: "model",
			Message: fmt.Sprintf("The model %q has no price by time: it is not served on /v1/realtime/translations.", model),
		}
	}
	added := &stretch{model: model}
	if err := s.reserve(ctx, added, 0); err != nil {
		return err
	}
	s.meters = append(s.meters, added)
	return nil
}

// reserve opens the hold of a model's next stretch, for no less than some bytes.
func (s *Stretches) reserve(ctx context.Context, meter *stretch, bytes int64) (err error) {
	length := max(stretchMilliseconds, milliseconds(bytes))
	if meter.hold, err = s.wallet.Hold(ctx, meter.model, pricing.Usage{Milliseconds: length}); err != nil {
		return err
	}
	meter.bytes, meter.reserved = 0, length*audioBytesPerMillisecond
	meter.number++
	return nil
}

// FromClient counts the audio before it is sent.
func (s *Stretches) FromClient(ctx context.Context, message []byte) ([]byte, error) {
	event, err := readClientEvent(message)
	if err != nil {
		return nil, err
	}
	switch event.kind {
	case eventTranslationAppend, eventAppend:
		return message, s.append(ctx, event)
	case eventSessionUpdate:
		return s.changeSession(ctx, event)
	}
	return message, nil
}

func (s *Stretches) append(ctx context.Context, event clientEvent) error {
	audio := event.body.Get("audio")
	if len(audio) < 2 || audio[0] != '"' {
		return event.invalid([]string{"audio"}, "must be audio in base64")
	}
	// An escape within base64 makes the text longer, never shorter.
	heard := decodedBytes(audio[1 : len(audio)-1])
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, meter := range s.meters {
		if meter.bytes+heard > meter.reserved {
			if err := s.charge(ctx, meter, heard); err != nil {
				return err
			}
		}
	}
	for _, meter := range s.meters {
		meter.bytes += heard
	}
	return nil
}

// charge ends a stretch, and reserves the next for no less than some bytes.
func (s *Stretches) charge(ctx context.Context, meter *stretch, next int64) error {
	if err := s.end(ctx, meter, ByEstimate); err != nil {
		return err
	}
	if err := s.wallet.MaySpend(ctx); err != nil {
		return err
	}
	return s.reserve(ctx, meter, next)
}

// end charges what was heard of a stretch.
func (s *Stretches) end(ctx context.Context, meter *stretch, settledBy string) error {
	hold := meter.hold
	if meter.hold = nil; hold == nil {
		return nil
	}
	if meter.bytes == 0 {
		return hold.Release(ctx)
	}
	return hold.Settle(ctx, Bill{
		Key: fmt.Sprintf("audio:%s:%d", meter.model, meter.number), Model: meter.model,
		Usage: pricing.Usage{Milliseconds: milliseconds(meter.bytes)}, SettledBy: settledBy,
	})
}

func (s *Stretches) changeSession(ctx context.Context, event clientEvent) ([]byte, error) {
	message, err := s.model.check(event)
	if err != nil {
		return nil, err
	}
	asked, err := event.transcription()
	scribe := asked.model
	if err != nil || scribe == "" {
		return message, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.meters) > 1 && s.meters[1].model == scribe {
		return message, nil
	}
	if len(s.meters) > 1 {
		return nil, event.invalid([]string{"session", "audio", "input", "transcription", "model"}, "cannot change within a session")
	}
	return message, keepOpen(s.hear(ctx, scribe), event.id)
}

// FromServer has nothing to count: what is heard is paid for, not what is said.
func (s *Stretches) FromServer(context.Context, []byte) error { return nil }

// Running is empty: a translation has no responses.
func (s *Stretches) Running() []string { return nil }

// IsOwed is never so: a translation reports nothing.
func (s *Stretches) IsOwed() bool { return false }

// Close charges the last stretch as far as it went.
func (s *Stretches) Close(ctx context.Context) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var errs []error
	for _, meter := range s.meters {
		errs = append(errs, s.end(ctx, meter, ByEstimate))
	}
	return errors.Join(errs...)
}

// milliseconds is how long some bytes of audio sound, a part of one counted whole.
func milliseconds(bytes int64) int64 {
	return (bytes + audioBytesPerMillisecond - 1) / audioBytesPerMillisecond
}
