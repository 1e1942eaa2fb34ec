package realtime

import (
	"context"
	"errors"
)

func (t *Turns) changeSession(ctx context.Context, event clientEvent) ([]byte, error) {
	message, err := t.model.check(event)
	if err != nil {
		return nil, err
	}
	asked, err := event.transcription()
	if err != nil {
		return nil, err
	}
	if asked.model != "" {
		if _, err := t.wallet.Rates(asked.model); err != nil {
			return nil, keepOpen(err, event.id)
		}
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.asked.choose(readDescription(message))
	return message, t.want(ctx, asked)
}

// want takes over what the client asks for about writing down. What begins holds at
// once; what changes or ends it waits for the provider to confirm it, because until
// then audio is written down as before.
func (t *Turns) want(ctx context.Context, asked transcription) error {
	if !asked.isNamed {
		return nil
	}
	if t.isWrittenDown {
		t.wanted = &asked
		return nil
	}
	t.isWrittenDown = asked.isOn
	if asked.model == "" {
		return nil
	}
	return t.writeDownWith(ctx, asked.model)
}

// confirm takes over what the provider says about writing down.
func (t *Turns) confirm(ctx context.Context, said transcription, isChange bool) error {
	wanted := t.wanted
	if !said.isNamed {
		if !isChange || wanted == nil {
			return nil
		}
		said = *wanted
	}
	t.isWrittenDown = said.isOn
	if wanted == nil || wanted.isOn != said.isOn {
		return nil
	}
	if said.model != "" && said.model == t.scribe && wanted.model != t.scribe {
		return nil // it confirms what was before
	}
	if t.wanted = nil; wanted.model == "" {
		return nil
	}
	return t.writeDownWith(ctx, wanted.model) // by the name that has a price
}

// writeDownWith moves the hold beside the turns to another model.
func (t *Turns) writeDownWith(ctx context.Context, scribe string) error {
	if scribe == t.scribe {
		return nil
	}
	old := t.beside
	t.scribe, t.beside = scribe, nil
	err := t.reserve(ctx)
	if err != nil && t.beside == nil {
		t.beside = old // it pays for what is under way
		return err
	}
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

// learn notes what the provider says about the session.
func (t *Turns) learn(ctx context.Context, kind string, said described) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.sound.choose(said)
	isChange := kind == eventSessionUpdated || kind == eventTranscriptionUpdated
	return t.confirm(ctx, said.transcription(), isChange)
}
