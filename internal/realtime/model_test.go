package realtime

import "testing"

var testModel = Model{Names: []string{"azure/model", "model"}, OwnName: func() string { return "own-name" }}

func TestTheProviderReadsItsOwnNameOfTheModel(t *testing.T) {
	for message, want := range map[string]string{
		`{"type":"session.update","session":{"voice":"x", "model":"azure/model"}}`: `{"type":"session.update","session":{"voice":"x", "model":"own-name"}}`,
		`{"type":"session.update","session":{"model":"model"},"event_id":"e"}`:     `{"type":"session.update","session":{"model":"own-name"},"event_id":"e"}`,
		`{"type":"session.update","session":{"model":"own-name"}}`:                 `{"type":"session.update","session":{"model":"own-name"}}`,
		`{"type":"session.update","session":{"voice":"x"}}`:                        `{"type":"session.update","session":{"voice":"x"}}`,
		`{"type":"session.update"}`:                                                `{"type":"session.update"}`,
	} {
		wallet := newPurse(plenty)
		turns, stretches := NewTurns(wallet, testModel), NewStretches(wallet, testModel)
		if err := turns.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, billing := range []Billing{turns, stretches} {
			if got, err := billing.FromClient(t.Context(), []byte(message)); err != nil || string(got) != want {
				t.Errorf("%T passes %s on as %s, %v, want %s", billing, message, got, err, want)
			}
		}
	}
}
