package realtime

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestAnyStoryIsPaidOnce plays messages in any order, as no provider would send them:
// whatever comes, nothing falls, nothing is paid twice, and nothing stays reserved.
func TestAnyStoryIsPaidOnce(t *testing.T) {
	fromClient := []string{
		appends(100), appends(3_000), commits, clears, adds(400), `{"type":"response.create"}`, `{"type":"response.cancel"}`,
		`{"type":"response.create","response":{"conversation":"none","input":[]}}`, `{"type":"response.create","response":{"input":[]}}`,
		update("null"), update(`{"model":"scribe"}`), update(`{"model":"clerk"}`), `{"type":"session.update","session":{"input_audio_format":"g711_ulaw"}}`,
	}
	fromServer := []string{
		`{"type":"session.updated","session":{}}`, updated("null"), updated(`{"model":"scribe"}`), updated(`{"model":"clerk"}`),
		cleared, `{"type":"error","error":{"code":"input_audio_buffer_commit_empty"}}`,
		`{"type":"input_audio_buffer.speech_started","audio_start_ms":200}`, `{"type":"input_audio_buffer.speech_stopped","audio_end_ms":900}`,
	}
	for _, id := range []string{"a", "b", ""} {
		fromServer = append(fromServer, created(id), said(id), done(id, wholeUsage), done(id, "null"), committed(id), writes(id), failed(id),
			transcribed(id, twoSecs), transcribed(id, "null"), fmt.Sprintf(`{"type":"response.created","response":{"id":%q,"conversation_id":null}}`, id))
	}
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		wallet := newPurse(1_000_000_000)
		wallet.rates["clerk"] = scribeRates
		billing := NewTurns(wallet, testModel)
		if err := billing.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 60 {
			if random.IntN(60) == 0 {
				wallet.set(freeze)
			}
			if random.IntN(2) == 0 {
				billing.FromClient(t.Context(), []byte(fromClient[random.IntN(len(fromClient))]))
			} else {
				billing.FromServer(t.Context(), []byte(fromServer[random.IntN(len(fromServer))]))
			}
		}
		if err := billing.Close(t.Context()); err != nil {
			t.Errorf("story %d: %v", seed, err)
		}
		if story := wallet.story(); strings.Contains(story, "are open") || wallet.balance > 1_000_000_000 || billing.IsOwed() {
			t.Errorf("story %d ends with\n%s", seed, story)
		}
	}
}
