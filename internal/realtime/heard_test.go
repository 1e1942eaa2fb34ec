package realtime

import (
	"fmt"
	"strings"
	"testing"

	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// Messages of a client.
func appends(milliseconds int) string {
	return strings.Replace(heard(milliseconds), "session.", "", 1)
}

const commits, clears = `{"type":"input_audio_buffer.commit"}`, `{"type":"input_audio_buffer.clear"}`

const cleared = `{"type":"input_audio_buffer.cleared"}`

// adds is an item of so many bytes of JSON.
func adds(bytes int) string {
	const empty = `{"type":"conversation.item.create","item":{"type":"message","content":[{"type":"input_text","text":""}]}}`
	return strings.Replace(empty, `""`, `"`+strings.Repeat("x", bytes-len(empty))+`"`, 1)
}

// TestACutResponsePaysForWhatItHeard: our own count has the input of a response, too.
func TestACutResponsePaysForWhatItHeard(t *testing.T) {
	const saidHello = 2 // tokens
	ask := `{"type":"response.create"}`
	asked := roundedUp(int64(len(ask)), metering.BytesPerToken)
	picture := fmt.Sprintf(`{"type":"conversation.item.create","item":{"type":"message","content":[{"type":"input_image","image_url":"data:%s"}]}}`, strings.Repeat("A", 100_000))
	ownInput := `{"type":"response.create","response":{"conversation":"none","input":[{"type":"message","content":[{"type":"input_text","text":"` + strings.Repeat("x", 1_000) + `"}]}]}}`
	createdApart := `{"type":"response.created","response":{"id":"a","conversation_id":null}}`
	ownTokens := roundedUp(int64(len(ownInput)), metering.BytesPerToken)
	last := `{"input_tokens":5000,"output_tokens":70,"input_token_details":{"text_tokens":1000,"audio_tokens":4000,"cached_tokens":3500,"cached_tokens_details":{"text_tokens":500,"audio_tokens":3000}},"output_token_details":{"text_tokens":20,"audio_tokens":50}}`
	tests := map[string]struct {
		steps []step
		heard pricing.Usage
	}{
		"nothing":                  {nil, pricing.Usage{}},
		"text":                     {[]step{client(adds(4_000))}, pricing.Usage{InText: 1_000}},
		"what was asked for":       {[]step{client(ask)}, pricing.Usage{InText: asked}},
		"what no model hears":      {[]step{client(`{"type":"response.cancel"}`), client(`{"type":"conversation.item.delete","item_id":"i"}`)}, pricing.Usage{}},
		"sound that was committed": {[]step{client(appends(2_000)), client(commits), server(committed("i"))}, pricing.Usage{InAudio: 20}},
		"sound that was not": {
			[]step{client(appends(2_000)), client(commits), server(committed("i")), client(appends(5_000))}, pricing.Usage{InAudio: 20},
		},
		"sound of a provider that does not tell of commits": {[]step{client(appends(2_000)), client(commits), client(appends(5_000))}, pricing.Usage{InAudio: 20}},
		"ten minutes of sound":                              {[]step{client(appends(600_000)), client(commits), server(committed("i"))}, pricing.Usage{InAudio: 6_000}},
		"sound that was cleared": {
			[]step{client(appends(60_000)), client(clears), server(cleared), client(appends(1_000)), client(commits), server(committed("i"))}, pricing.Usage{InAudio: 10},
		},
		"a speaker in a silence": {
			[]step{client(appends(60_000)), server(`{"type":"input_audio_buffer.speech_started","audio_start_ms":50000}`), server(`{"type":"input_audio_buffer.speech_stopped","audio_end_ms":52000}`), server(committed("i"))},
			pricing.Usage{InAudio: 20},
		},
		"sound in an item":                     {[]step{client(strings.Replace(adds(4_000), `"input_text","text"`, `"input_audio","audio"`, 1))}, pricing.Usage{InText: 27, InAudio: 1}},
		"a picture, which is priced as text":   {[]step{client(picture)}, pricing.Usage{InText: roundedUp(int64(len(picture)-len(`"data:"`)-100_000), metering.BytesPerToken) + imageTokens}},
		"sound of a telephone":                 {[]step{server(`{"type":"session.updated","session":{"input_audio_format":"g711_ulaw"}}`), client(appends(1_000)), client(commits), server(committed("i"))}, pricing.Usage{InAudio: 60}},
		"sound of a telephone, not confirmed":  {[]step{client(`{"type":"session.update","session":{"input_audio_format":"g711_ulaw"}}`), client(appends(1_000)), client(commits), server(committed("i"))}, pricing.Usage{InText: 18, InAudio: 60}},
		"no more a telephone, but unconfirmed": {[]step{server(`{"type":"session.created","session":{"input_audio_format":"g711_ulaw"}}`), client(`{"type":"session.update","session":{"input_audio_format":"pcm16"}}`), client(appends(1_000)), client(commits), server(committed("i"))}, pricing.Usage{InText: 17, InAudio: 60}},
		"what the one before heard and said": {
			[]step{server(created("z")), server(done("z", last)), client(adds(400))},
			pricing.Usage{InText: 500 + 20 + 100, InAudio: 1_000 + 50, InCachedText: 500, InCachedAudio: 3_000},
		},
		"what one heard that failed": {
			[]step{client(adds(4_000)), server(created("z")), server(done("z", "null")), client(adds(400))}, pricing.Usage{InText: 1_100},
		},
		"apart from the conversation": {
			[]step{server(created("z")), server(done("z", last)), client(adds(4_000)), client(ownInput), server(createdApart)}, pricing.Usage{InText: ownTokens},
		},
		"apart, but the provider does not say so": {
			[]step{server(created("z")), server(done("z", `{"input_tokens":0}`)), client(ownInput)}, pricing.Usage{InText: ownTokens},
		},
	}
	for name, test := range tests {
		for end, settledBy := range map[string]string{"cut": ByPartial, "no report": ByEstimate} {
			t.Run(name+", "+end, func(t *testing.T) {
				wallet := newPurse(100_000_000)
				billing := NewTurns(wallet, testModel)
				steps := append(test.steps, server(created("a")), server(said("a")))
				if end == "no report" {
					steps = append(steps, server(done("a", "null")))
				}
				tellStory(t, wallet, billing, steps)
				billing.Close(t.Context())
				want := cost(withInput(pricing.Usage{OutText: saidHello}, test.heard))
				bills := strings.Split(wallet.story(), "\n")
				if last := bills[len(bills)-1]; !strings.HasSuffix(last, fmt.Sprintf(":a %d %s", want, settledBy)) {
					t.Errorf("charged was %q, want %d", last, want)
				}
			})
		}
	}
}

// TestAnInputOfItsOwnPredictsNothing: the next one hears the conversation again.
func TestAnInputOfItsOwnPredictsNothing(t *testing.T) {
	long := `{"input_tokens":30000,"output_tokens":0,"input_token_details":{"text_tokens":30000}}`
	for name, test := range map[string]struct{ asked, created string }{
		"apart":                   {`"conversation":"none","input":[]`, `"id":"b","conversation_id":null`},
		"in the conversation":     {`"input":[]`, `"id":"b","conversation_id":"conv"`},
		"apart, with a reference": {`"conversation":"none","input":[{"type":"item_reference","id":"i"}]`, `"id":"b","conversation_id":null`},
	} {
		wallet := newPurse(100_000_000)
		billing := NewTurns(wallet, testModel)
		tellStory(t, wallet, billing, []step{server(created("a")), server(done("a", long))})
		held := wallet.held
		tellMore(t, billing,
			client(`{"type":"response.create","response":{`+test.asked+`}}`),
			server(`{"type":"response.created","response":{`+test.created+`}}`), server(done("b", zeroUsage)))
		if wallet.held != held {
			t.Errorf("%s: %d tokens are held after it, want %d", name, wallet.held, held)
		}
	}
}

// TestWhatWasClearedIsNotHeldFor: silence that the client cleared costs nothing.
func TestWhatWasClearedIsNotHeldFor(t *testing.T) {
	wallet := newPurse(100_000_000)
	billing := NewTurns(wallet, testModel)
	tellStory(t, wallet, billing, []step{
		server(created("a")), client(appends(240_000)), client(clears), server(cleared), server(done("a", zeroUsage)),
	})
	if wallet.held != firstHolds {
		t.Errorf("%d tokens are held, want %d", wallet.held, firstHolds)
	}
}

// TestCachedCountsWithoutAPriceAreHeldForAsFresh: they are charged so.
func TestCachedCountsWithoutAPriceAreHeldForAsFresh(t *testing.T) {
	wallet := newPurse(100_000_000)
	wallet.rates[""] = pricing.Rates{InText: 1, InAudio: 10, OutText: 100, OutAudio: 1000}
	billing := NewTurns(wallet, testModel)
	tellStory(t, wallet, billing, []step{
		server(created("a")), server(done("a", `{"input_tokens":30000,"output_tokens":0,"input_token_details":{"text_tokens":30000,"cached_tokens":30000}}`)),
	})
	if want := firstHolds + cost(pricing.Usage{InText: 30_000 - turnInText}); wallet.held != want {
		t.Errorf("%d tokens are held, want %d", wallet.held, want)
	}
}
