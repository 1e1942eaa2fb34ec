package realtime

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"sokuji/internal/pricing"
)

func update(transcription string) string {
	return `{"type":"session.update","session":{"audio":{"input":{"transcription":` + transcription + `}}}}`
}

func updated(transcription string) string {
	return strings.Replace(update(transcription), "session.update", "session.updated", 1)
}

func failed(item string) string {
	return fmt.Sprintf(`{"type":"conversation.item.input_audio_transcription.failed","item_id":%q,"content_index":0}`, item)
}

const transcript = "conversation.item.input_audio_transcription.completed:item:"

// TestTranscriptionsUnderWayAreCharged: what the provider has begun to write down is
// paid for, also when nobody waits for it.
func TestTranscriptionsUnderWayAreCharged(t *testing.T) {
	on, off, other := client(update(`{"model":"scribe"}`)), client(update(`null`)), client(update(`{"model":"clerk"}`))
	twoSeconds := []step{client(appends(2_000)), client(commits)}
	after := func(steps ...any) (story []step) {
		for _, s := range steps {
			switch s := s.(type) {
			case step:
				story = append(story, s)
			case []step:
				story = append(story, s...)
			}
		}
		return story
	}
	tests := map[string]struct {
		steps []step
		bills []string
	}{
		"nobody asked for it":                               {after(twoSeconds, server(committed("i"))), nil},
		"under way at the end":                              {after(on, twoSeconds, server(committed("i"))), []string{transcript + "i:0 2000 partial scribe"}},
		"in pieces":                                         {after(on, twoSeconds, server(committed("i")), server(writes("i"))), []string{transcript + "i:0 2000 partial scribe"}},
		"by a provider without commits":                     {after(on, twoSeconds, server(writes("i")), server(writes("i"))), []string{transcript + "i:0 2000 partial scribe"}},
		"in pieces before the commit":                       {after(on, client(appends(1_000)), server(writes("i")), client(appends(1_000)), client(commits), server(committed("i"))), []string{transcript + "i:0 2000 partial scribe"}},
		"that the provider does unasked":                    {after(twoSeconds, server(committed("i")), server(writes("i"))), []string{transcript + "i:0 300 partial"}},
		"that the provider tells of":                        {after(server(updated(`{"model":"x"}`)), twoSeconds, server(committed("i"))), []string{transcript + "i:0 200 partial"}},
		"two of them":                                       {after(on, twoSeconds, server(committed("i")), client(appends(3_000)), client(commits), server(committed("j"))), []string{transcript + "i:0 2000 partial scribe", transcript + "j:0 3000 partial scribe"}},
		"one reported, one not":                             {after(on, twoSeconds, server(committed("i")), twoSeconds, server(committed("j")), server(transcribed("j", `{"type":"duration","seconds":1}`))), []string{transcript + "j:0 1000 provider scribe", transcript + "i:0 2000 partial scribe"}},
		"reported":                                          {after(on, twoSeconds, server(committed("i")), server(transcribed("i", twoSecs)), server(writes("i")), server(committed("i")), server(transcribed("i", twoSecs))), []string{transcript + "i:0 2000 provider scribe"}},
		"reported without usage":                            {after(on, twoSeconds, server(committed("i")), server(transcribed("i", "null")), server(transcribed("i", twoSecs))), []string{transcript + "i:0 2000 estimate scribe"}},
		"without usage, without a commit":                   {after(on, twoSeconds, server(transcribed("i", "null"))), []string{transcript + "i:0 2000 estimate scribe"}},
		"without usage, by tokens":                          {after(twoSeconds, server(transcribed("i", "null"))), []string{transcript + "i:0 300 estimate"}}, // "hi" is a token
		"without usage and without sound":                   {after(on, server(transcribed("i", "null"))), nil},
		"an explicit zero":                                  {after(on, twoSeconds, server(committed("i")), server(transcribed("i", `{"type":"duration","seconds":0}`))), []string{transcript + "i:0 0 provider scribe"}},
		"failed":                                            {after(on, twoSeconds, server(committed("i")), server(failed("i"))), nil},
		"cleared":                                           {after(on, client(appends(60_000)), client(clears), server(cleared), twoSeconds, server(committed("i"))), []string{transcript + "i:0 2000 partial scribe"}},
		"switched off behind the commit":                    {after(on, twoSeconds, off, server(committed("i")), server(updated("null"))), []string{transcript + "i:0 2000 partial scribe"}},
		"switched off before the commit":                    {after(on, off, server(updated("null")), twoSeconds, server(committed("i"))), nil},
		"switched off by a provider that describes nothing": {after(on, off, server(`{"type":"session.updated","session":{}}`), twoSeconds, server(committed("i"))), nil},
		"switched off, but refused":                         {after(on, off, twoSeconds, server(committed("i"))), []string{transcript + "i:0 2000 partial scribe"}},
		"off and on again":                                  {after(on, off, on, server(updated("null")), server(updated(`{"model":"scribe"}`)), twoSeconds, server(committed("i"))), []string{transcript + "i:0 2000 partial scribe"}},
		"by another behind the commit":                      {after(on, twoSeconds, other, server(committed("i")), server(updated(`{"model":"clerk"}`))), []string{transcript + "i:0 2000 partial scribe"}},
		"by another":                                        {after(on, other, server(updated(`{"model":"scribe"}`)), server(updated(`{"model":"clerk-2026"}`)), twoSeconds, server(committed("i"))), []string{transcript + "i:0 2000 partial clerk"}},
		"the format changes": {
			after(on, client(`{"type":"session.update","session":{"input_audio_format":"g711_ulaw"}}`), twoSeconds, server(committed("i"))), []string{transcript + "i:0 12000 partial scribe"},
		},
		"frozen meanwhile": {
			after(on, twoSeconds, server(committed("i")).after(freeze).refusedWith("wallet_frozen")), []string{transcript + "i:0 2000 partial scribe"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			wallet := newPurse(100_000_000)
			wallet.rates["clerk"] = scribeRates
			billing := NewTurns(wallet, testModel)
			tellStory(t, wallet, billing, test.steps)
			if err := billing.Close(t.Context()); err != nil {
				t.Errorf("close: %v", err)
			}
			wantBills(t, wallet, test.bills)
		})
	}
}

// TestOfManyTranscriptionsTheOldestIsCharged: what a session remembers is bounded.
func TestOfManyTranscriptionsTheOldestIsCharged(t *testing.T) {
	wallet := newPurse(100_000_000)
	billing := NewTurns(wallet, testModel)
	tellStory(t, wallet, billing, []step{client(update(`{"model":"scribe"}`))})
	for i := range maxHeardItems + 1 {
		tellMore(t, billing, client(appends(100)), client(commits), server(committed(fmt.Sprint(i))))
	}
	if want := transcript + "0:0 100 estimate scribe"; strings.Split(wallet.story(), "\n")[0] != want {
		t.Errorf("charged was %s, want %s", wallet.story(), want)
	}
	tellMore(t, billing, server(transcribed("0", twoSecs)))
	billing.Close(t.Context())
	if got := len(wallet.bills); got != maxHeardItems+1 {
		t.Errorf("%d bills, want one for each", got)
	}
}

// TestALongTranscriptionIsReservedFirst: up to five minutes, before they are sent.
func TestALongTranscriptionIsReservedFirst(t *testing.T) {
	const minutes = 3
	wallet := newPurse(100_000_000)
	billing := NewTurns(wallet, testModel)
	tellStory(t, wallet, billing, []step{client(update(`{"model":"scribe"}`))})
	for range 60 * minutes {
		tellMore(t, billing, client(appends(1_000)))
	}
	beside := cost(transcriptOf(0, scribeRates))
	turn := cost(firstTurn) + cost(pricing.Usage{InAudio: turnInAudio}) + cost(pricing.Usage{InText: turnInText}) // one step
	if want := turn + minutes*beside; wallet.held != want {
		t.Errorf("%d tokens are held, want %d", wallet.held, want)
	}
	wallet.set(empty)
	_, err := billing.FromClient(t.Context(), []byte(appends(1_000)))
	if codeOf(err) != "insufficient_quota" {
		t.Errorf("without tokens for it, it is refused with %v", err)
	}
	billing.Close(t.Context())
	wantBills(t, wallet, nil)
}

// TestTheEndWaitsForTranscriptions: the provider's count is better than ours.
func TestTheEndWaitsForTranscriptions(t *testing.T) {
	for name, test := range map[string]struct {
		reports bool
		bill    string
	}{
		"the provider reports":      {true, transcript + "i:0 1000 provider scribe"},
		"the provider says no more": {false, transcript + "i:0 2000 partial scribe"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, plenty, func(s *scene) {
				s.fromClient(update(`{"model":"scribe"}`))
				s.fromClient(appends(2_000))
				s.fromClient(commits)
				s.fromProvider(committed("i"), writes("i"))
				s.client.Close(websocket.StatusNormalClosure, "")
				synctest.Wait()
				if test.reports {
					time.Sleep(closingTime / 2)
					s.provider.send(transcribed("i", `{"type":"duration","seconds":1}`))
				}
				<-s.ended
				wantBills(s.t, s.wallet, []string{test.bill})
			})
		})
	}
}
