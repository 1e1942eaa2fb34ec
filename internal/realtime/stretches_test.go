package realtime

import (
	"encoding/base64"
	"testing"

	"sokuji/internal/pricing"
)

// heard is a message with so many milliseconds of audio.
func heard(milliseconds int) string {
	audio := base64.StdEncoding.EncodeToString(make([]byte, milliseconds*audioBytesPerMillisecond))
	return `{"type":"session.input_audio_buffer.append","audio":"` + audio + `"}`
}

const writeDown = `{"type":"session.update","session":{"audio":{"input":{"transcription":{"model":"scribe"}},"output":{"language":"de"}}}}`

func TestATranslationIsChargedByWhatItHears(t *testing.T) {
	tests := map[string]struct {
		steps []step
		bills []string
	}{
		"nothing":       {},
		"a moment":      {steps: []step{client(heard(200)), client(heard(100))}, bills: []string{"audio::1 300 estimate"}},
		"one stretch":   {steps: []step{client(heard(stretchMilliseconds))}, bills: []string{"audio::1 30000 estimate"}},
		"two stretches": {steps: []step{client(heard(29_900)), client(heard(200))}, bills: []string{"audio::1 29900 estimate", "audio::2 200 estimate"}},
		"more at once than a stretch": {
			steps: []step{client(heard(100)), client(heard(70_000)), client(heard(1))},
			bills: []string{"audio::1 100 estimate", "audio::2 70000 estimate", "audio::3 1 estimate"},
		},
		"more at the beginning than a stretch": {steps: []step{client(heard(70_000))}, bills: []string{"audio::2 70000 estimate"}},
		"written down from then on": {
			steps: []step{client(heard(100)), client(writeDown), client(writeDown), client(heard(200))},
			bills: []string{"audio::1 300 estimate", "audio:scribe:1 200 estimate scribe"},
		},
		"a part of a millisecond is a whole one": {
			steps: []step{client(`{"type":"session.input_audio_buffer.append","audio":"AAAA"}`)}, bills: []string{"audio::1 1 estimate"},
		},
		"what the server says costs nothing": {steps: []step{server(`{"type":"session.output_audio.delta","delta":"AAAA"}`)}},
		"frozen within a stretch: it goes on to the end of it": {
			steps: []step{client(heard(100)), client(heard(100)).after(freeze), client(heard(30_000)).refusedWith("wallet_frozen")},
			bills: []string{"audio::1 200 estimate"},
		},
		"empty": {
			steps: []step{client(heard(30_000)), client(heard(1)).after(empty).refusedWith("insufficient_quota")},
			bills: []string{"audio::1 30000 estimate"},
		},
		"revoked": {
			steps: []step{client(heard(30_000)), client(heard(1)).after(revoke).refusedWith("invalid_api_key")},
			bills: []string{"audio::1 30000 estimate"},
		},
		"another model":          {steps: []step{client(`{"type":"session.update","session":{"model":"dear"}}`).refusedWith("invalid_value")}},
		"a scribe without price": {steps: []step{client(`{"type":"session.update","session":{"audio":{"input":{"transcription":{"model":"unheard"}}}}}`).refusedWith("model_not_found")}},
		"another scribe": {
			steps: []step{client(writeDown), client(`{"type":"session.update","session":{"audio":{"input":{"transcription":{"model":"other"}}}}}`).refusedWith("invalid_value")},
		},
		"audio that is none":    {steps: []step{client(`{"type":"session.input_audio_buffer.append","audio":7}`).refusedWith("invalid_value")}},
		"audio that is missing": {steps: []step{client(`{"type":"session.input_audio_buffer.append"}`).refusedWith("invalid_value")}},
		"audio given twice":     {steps: []step{client(`{"type":"session.input_audio_buffer.append","audio":"","audio":"AAAA"}`).refusedWith("invalid_value")}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			wallet := newPurse(100_000_000)
			wallet.rates[""] = pricing.Rates{Milliseconds: 1}
			wallet.rates["other"] = scribeRates
			billing := NewStretches(wallet, testModel)
			tellStory(t, wallet, billing, test.steps)
			if err := billing.Close(t.Context()); err != nil {
				t.Errorf("close: %v", err)
			}
			wantBills(t, wallet, test.bills)
		})
	}
}

func TestATranslationNeedsAPriceByTime(t *testing.T) {
	if code := codeOf(NewStretches(newPurse(100_000_000), testModel).Open(t.Context())); code != "model_not_found" {
		t.Errorf("a model that is priced by tokens is refused with %q", code)
	}
}

func TestATranslationNeedsTokensForItsFirstStretch(t *testing.T) {
	for balance, refused := range map[int64]string{stretchMilliseconds: "", stretchMilliseconds - 1: "insufficient_quota"} {
		wallet := newPurse(balance)
		wallet.rates[""] = pricing.Rates{Milliseconds: 1}
		if code := codeOf(NewStretches(wallet, testModel).Open(t.Context())); code != refused {
			t.Errorf("with %d tokens: refused with %q, want %q", balance, code, refused)
		}
	}
}
