package realtime

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sokuji/internal/metering"
	"sokuji/internal/pricing"
)

// Messages of the provider.
func created(id string) string {
	return fmt.Sprintf(`{"type":"response.created","event_id":"e","response":{"id":%q}}`, id)
}

func said(id string) string {
	return fmt.Sprintf(`{"type":"response.output_text.delta","response_id":%q,"delta":"hello"}`, id)
}

func done(id, usage string) string {
	return fmt.Sprintf(`{"type":"response.done","event_id":"e","response":{"id":%q,"status":"completed","usage":%s}}`, id, usage)
}

func transcribed(item, usage string) string {
	return fmt.Sprintf(`{"type":"conversation.item.input_audio_transcription.completed","item_id":%q,"content_index":0,"transcript":"hi","usage":%s}`, item, usage)
}

func committed(item string) string {
	return fmt.Sprintf(`{"type":"input_audio_buffer.committed","item_id":%q}`, item)
}

func writes(item string) string {
	return fmt.Sprintf(`{"type":"conversation.item.input_audio_transcription.delta","item_id":%q,"content_index":0,"delta":"word"}`, item)
}

const (
	// 100 text and 20 audio heard, of which 40 and 10 from the cache; 7 text and 30
	// audio said: 60 + 10·10 + 40·2 + 10·3 + 7·100 + 30·1000.
	wholeUsage = `{"total_tokens":157,"input_tokens":120,"output_tokens":37,
		"input_token_details":{"text_tokens":100,"audio_tokens":20,"cached_tokens":50,"cached_tokens_details":{"text_tokens":40,"audio_tokens":10}},
		"output_token_details":{"text_tokens":7,"audio_tokens":30}}`
	wholeCost = 60 + 100 + 80 + 30 + 700 + 30_000
	zeroUsage = `{"total_tokens":0,"input_tokens":0,"output_tokens":0}`
	twoSecs   = `{"type":"duration","seconds":2}`
)

// firstTurn is what the first turn of a session is taken for.
var firstTurn = nextTurn(pricing.Usage{}, pricing.Usage{})

// firstHolds is what a session reserves when it opens.
var firstHolds = cost(firstTurn) + cost(pricing.Usage{InAudio: transcriptionInAudio, OutText: transcriptionOutText})

// step is one message of a story; before it, something may happen to the wallet.
type step struct {
	before     func(*purse)
	fromClient string
	fromServer string
	refused    string // the code of the refusal, "" for none
}

func client(message string) step { return step{fromClient: message} }
func server(message string) step { return step{fromServer: message} }

func (s step) after(change func(*purse)) step { s.before = change; return s }
func (s step) refusedWith(code string) step   { s.refused = code; return s }

func freeze(p *purse) { p.frozen = true }
func revoke(p *purse) { p.revoked = true }
func empty(p *purse)  { p.balance = 0 }

func TestTurnsAreChargedByTheProvidersReport(t *testing.T) {
	whole := func(id string) string { return fmt.Sprintf("response.done:response:%s %d provider", id, wholeCost) }
	scribeUpdate := `{"type":"session.update","session":{"type":"realtime","audio":{"input":{"transcription":{"model":"scribe"}}}}}`
	tests := map[string]struct {
		steps []step
		bills []string // a partial one is checked by its beginning and end
	}{
		"nothing said": {},
		"one turn":     {steps: []step{client(`{"type":"response.create"}`), server(created("a")), server(said("a")), server(done("a", wholeUsage))}, bills: []string{whole("a")}},
		"two turns": {
			steps: []step{server(created("a")), server(done("a", wholeUsage)), server(created("b")), server(done("b", wholeUsage))},
			bills: []string{whole("a"), whole("b")},
		},
		"done twice is charged once": {
			steps: []step{server(created("a")), server(done("a", wholeUsage)), server(done("a", wholeUsage))},
			bills: []string{whole("a")},
		},
		"done without created":               {steps: []step{server(done("a", wholeUsage))}, bills: []string{whole("a")}},
		"cancelled with a report":            {steps: []step{server(created("a")), server(strings.Replace(done("a", wholeUsage), "completed", "cancelled", 1))}, bills: []string{whole("a")}},
		"an explicit zero is zero":           {steps: []step{server(created("a")), server(said("a")), server(done("a", zeroUsage))}, bills: []string{"response.done:response:a 0 provider"}},
		"no report and nothing said is free": {steps: []step{server(created("a")), server(done("a", "null")), server(created("b")), server(done("b", wholeUsage))}, bills: []string{whole("b")}},
		"no report but something said is charged by our count": {
			steps: []step{server(created("a")), server(said("a")), server(done("a", "null"))},
			bills: []string{"response.done:response:a * estimate"},
		},
		"cut in the middle is charged in part": {steps: []step{server(created("a")), server(said("a"))}, bills: []string{"response.part:a * partial"}},
		"cut before the first word is free":    {steps: []step{server(created("a"))}},
		"responses beside each other": {
			steps: []step{server(created("a")), server(created("b")), server(said("b")), server(said("a")), server(done("b", wholeUsage)), server(done("a", wholeUsage))},
			bills: []string{whole("b"), whole("a")},
		},
		"a transcription under the session's price": {
			steps: []step{server(transcribed("i", `{"type":"tokens","input_tokens":20,"output_tokens":5,"total_tokens":25,"input_token_details":{"text_tokens":0,"audio_tokens":20}}`))},
			bills: []string{"conversation.item.input_audio_transcription.completed:item:i:0 700 provider"},
		},
		"a transcription under its own price": {
			steps: []step{client(scribeUpdate), server(transcribed("i", twoSecs)), server(transcribed("i", twoSecs))},
			bills: []string{"conversation.item.input_audio_transcription.completed:item:i:0 2000 provider scribe"},
		},
		"a transcription during a response": {
			steps: []step{client(scribeUpdate), server(created("a")), server(transcribed("i", twoSecs)), server(done("a", wholeUsage))},
			bills: []string{"conversation.item.input_audio_transcription.completed:item:i:0 2000 provider scribe", whole("a")},
		},
		"frozen during a turn: it is recorded, and no other begins": {
			steps: []step{server(created("a")), server(done("a", wholeUsage)).after(freeze).refusedWith("wallet_frozen")},
			bills: []string{whole("a")},
		},
		"empty after a turn": {
			steps: []step{server(created("a")), server(done("a", wholeUsage)).after(empty).refusedWith("insufficient_quota")},
			bills: []string{whole("a")},
		},
		"revoked during a turn": {
			steps: []step{server(created("a")), server(done("a", wholeUsage)).after(revoke).refusedWith("invalid_api_key")},
			bills: []string{whole("a")},
		},
		"frozen while two run: what was said of the other is recorded too": {
			steps: []step{server(created("a")), server(created("b")), server(said("b")), server(done("a", wholeUsage)), server(transcribed("i", twoSecs)).after(freeze).refusedWith("wallet_frozen")},
			bills: []string{whole("a"), "conversation.item.input_audio_transcription.completed:item:i:0 2000 provider", "response.part:b * partial"},
		},
		"one that was never announced, beside another": {
			steps: []step{client(scribeUpdate), server(created("a")), server(done("b", wholeUsage)), server(done("c", "null")), server(done("a", wholeUsage)), server(created("d")), server(done("d", wholeUsage))},
			bills: []string{whole("b"), whole("a"), whole("d")},
		},
		"a second response without tokens for it is refused": {
			steps: []step{server(created("a")), client(`{"type":"response.create"}`).after(empty).refusedWith("insufficient_quota")},
		},
		"a response nobody asked for without tokens for it is refused": {
			steps: []step{server(created("a")), server(created("b")).after(empty).refusedWith("insufficient_quota")},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			wallet := newPurse(100_000_000)
			wallet.rates[""] = pricing.Rates{InText: 1, InAudio: 10, InCachedText: 2, InCachedAudio: 3, OutText: 100, OutAudio: 1000, Milliseconds: 1}
			billing := NewTurns(wallet, testModel)
			tellStory(t, wallet, billing, test.steps)
			if err := billing.Close(t.Context()); err != nil {
				t.Errorf("close: %v", err)
			}
			if err := billing.Close(t.Context()); err != nil {
				t.Errorf("close again: %v", err)
			}
			wantBills(t, wallet, test.bills)
		})
	}
}

// tellStory plays messages on a billing.
func tellStory(t *testing.T, wallet *purse, billing Billing, steps []step) {
	t.Helper()
	if err := billing.Open(t.Context()); err != nil {
		t.Fatalf("open: %v", err)
	}
	playSteps(t, wallet, billing, steps)
}

func tellMore(t *testing.T, billing Billing, steps ...step) {
	t.Helper()
	playSteps(t, nil, billing, steps)
}

func playSteps(t *testing.T, wallet *purse, billing Billing, steps []step) {
	t.Helper()
	for i, step := range steps {
		if step.before != nil {
			wallet.set(step.before)
		}
		var err error
		if step.fromClient != "" {
			_, err = billing.FromClient(t.Context(), []byte(step.fromClient))
		} else {
			err = billing.FromServer(t.Context(), []byte(step.fromServer))
		}
		if code := codeOf(err); code != step.refused {
			t.Errorf("step %d: refused with %q (%v), want %q", i+1, code, err, step.refused)
		}
	}
}

func codeOf(err error) string {
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return refusal.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// wantBills compares what was charged; a * stands for anything. Nothing may be
// held any more.
func wantBills(t *testing.T, wallet *purse, want []string) {
	t.Helper()
	got := strings.Split(wallet.story(), "\n")
	if wallet.story() == "" {
		got = nil
	}
	if len(got) != len(want) {
		t.Fatalf("the wallet's story is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for i := range want {
		before, after, open := strings.Cut(want[i], "*")
		if got[i] != want[i] && !(open && strings.HasPrefix(got[i], before) && strings.HasSuffix(got[i], after)) {
			t.Errorf("bill %d is %q, want %q", i+1, got[i], want[i])
		}
	}
}

func TestASessionNeedsTokensForItsFirstTurn(t *testing.T) {
	for balance, refused := range map[int64]string{firstHolds: "", firstHolds - 1: "insufficient_quota", 0: "insufficient_quota"} {
		wallet := newPurse(balance)
		billing := NewTurns(wallet, testModel)
		if code := codeOf(billing.Open(t.Context())); code != refused {
			t.Errorf("with %d tokens: refused with %q, want %q", balance, code, refused)
		}
		billing.Close(t.Context())
		wantBills(t, wallet, nil)
	}
}

func TestAModelWithoutAPriceByTheTurnIsNotServed(t *testing.T) {
	for name, rates := range map[string]pricing.Rates{"by time": {Milliseconds: 1}, "no price": {}} {
		wallet := newPurse(1_000_000)
		wallet.rates[""] = rates
		billing := NewTurns(wallet, testModel)
		if code := codeOf(billing.Open(t.Context())); code != "model_not_found" {
			t.Errorf("%s: %q", name, code)
		}
	}
}

// TestAResponseNeverRunsFarBeyondItsHold is the bound of what a wallet can overspend.
func TestAResponseNeverRunsFarBeyondItsHold(t *testing.T) {
	wallet := newPurse(firstHolds + cost(moreOutput()))
	billing := NewTurns(wallet, testModel)
	tellStory(t, wallet, billing, []step{server(created("a"))})
	message := []byte(said("a"))
	var err error
	spoken := int64(0)
	for ; err == nil && spoken < 1_000_000; spoken++ {
		err = billing.FromServer(t.Context(), message)
	}
	if codeOf(err) != "insufficient_quota" {
		t.Fatalf("a response that never ends was ended by: %v", err)
	}
	// The provider reports what we counted, and all the input that was taken for it.
	whole := pricing.Usage{InText: turnInText, InAudio: turnInAudio, OutText: roundedUp(spoken*int64(len("hello")), metering.BytesPerToken)}
	before := wallet.balance
	billing.FromServer(t.Context(), []byte(done("a", fmt.Sprintf(`{"input_tokens":%d,"output_tokens":%d,"input_token_details":{"text_tokens":%d,"audio_tokens":%d},"output_token_details":{"text_tokens":%d}}`,
		whole.InText+whole.InAudio, whole.OutText, whole.InText, whole.InAudio, whole.OutText))))
	billing.Close(t.Context())
	if before-wallet.balance != cost(whole) {
		t.Fatalf("charged were %d, want %d", before-wallet.balance, cost(whole))
	}
	if held, one := cost(firstTurn)+cost(moreOutput()), cost(pricing.Usage{OutText: 2}); cost(whole) > held+one {
		t.Errorf("charged were %d, beyond what was held, %d, and one message, %d", cost(whole), held, one)
	}
}

// TestWhatTheClientAddsIsReservedFirst: nothing is passed on that the next turn
// could not pay for hearing.
func TestWhatTheClientAddsIsReservedFirst(t *testing.T) {
	text := func(bytes int) string {
		return fmt.Sprintf(`{"type":"conversation.item.create","item":{"text":%q}}`, strings.Repeat("x", bytes))
	}
	sound := func(milliseconds int) string {
		return strings.Replace(heard(milliseconds), "session.", "", 1)
	}
	tests := map[string]struct {
		message string
		more    pricing.Usage // that is held after it
	}{
		"a little text":             {text(100), pricing.Usage{}},
		"much text":                 {text(4 * 10_000), pricing.Usage{InText: 10_014, InAudio: turnInAudio}},
		"more text than any hears":  {text(4 * 40_000), pricing.Usage{InText: maxAdded, InAudio: turnInAudio}},
		"a second of sound":         {sound(1_000), pricing.Usage{}},
		"two minutes of sound":      {sound(120_000), pricing.Usage{InText: turnInText, InAudio: 1_200}},
		"sound with an id":          {strings.Replace(sound(120_000), "{", `{"event_id":"e",`, 1), pricing.Usage{InText: turnInText, InAudio: 1_200}},
		"more silence than is held": {sound(600_000), pricing.Usage{InText: turnInText, InAudio: maxOpenAudio}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			wallet := newPurse(firstHolds + cost(test.more))
			billing := NewTurns(wallet, testModel)
			tellStory(t, wallet, billing, []step{client(test.message)})
			if got := wallet.held - firstHolds; got != cost(test.more) {
				t.Errorf("%d tokens more are held, want %d", got, cost(test.more))
			}
			if test.more == (pricing.Usage{}) {
				return
			}
			poor := newPurse(firstHolds + cost(test.more) - 1)
			tellStory(t, poor, NewTurns(poor, testModel), []step{client(test.message).refusedWith("insufficient_quota")})
		})
	}
}

func TestWhatIsAddedDuringAResponseIsHeldForTheNext(t *testing.T) {
	wallet := newPurse(100_000_000)
	billing := NewTurns(wallet, testModel)
	tellStory(t, wallet, billing, []step{
		server(created("a")), client(strings.Replace(heard(120_000), "session.", "", 1)), server(done("a", zeroUsage)),
	})
	if want := firstHolds + cost(pricing.Usage{InAudio: 1_200 - turnInAudio}); wallet.held != want {
		t.Errorf("%d tokens are held, want %d", wallet.held, want)
	}
	tellMore(t, billing, server(created("b")), server(done("b", zeroUsage)))
	if wallet.held != firstHolds {
		t.Errorf("after the next turn %d tokens are held, want %d", wallet.held, firstHolds)
	}
}

func TestTheNextTurnIsHeldForByTheLast(t *testing.T) {
	floor := pricing.Usage{InText: turnInText, InAudio: turnInAudio, OutText: turnOutText, OutAudio: turnOutAudio}
	tests := map[string]struct{ last, added, want pricing.Usage }{
		"the first":         {want: floor},
		"a little added":    {added: pricing.Usage{InText: 100, InAudio: 100}, want: floor},
		"after a short one": {last: pricing.Usage{InText: 100, OutText: 50, OutAudio: 20}, want: floor},
		"after a long one": {
			last: pricing.Usage{InText: 30_000, InAudio: 9_000, InCachedAudio: 500, OutText: 10, OutAudio: 4_000}, added: pricing.Usage{InText: 5, InAudio: 7},
			want: pricing.Usage{InText: 30_015, InAudio: 13_007, InCachedAudio: 500, OutText: turnOutText, OutAudio: turnOutAudio},
		},
	}
	for name, test := range tests {
		if got := nextTurn(test.last, test.added); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

func TestTheClientsMessagesAreReadStrictly(t *testing.T) {
	const kept = true
	tests := map[string]struct {
		message, code string
		keepsOpen     bool
	}{
		"audio":                       {message: `{"type":"input_audio_buffer.append","audio":"AAAA"}`},
		"audio with an id":            {message: `{"event_id":"x","type":"input_audio_buffer.append","audio":"AAAA"}`},
		"the session's model":         {message: `{"type":"session.update","session":{"model":"model"}}`},
		"the model's own name":        {message: `{"type":"session.update","session":{"model":"own-name"}}`},
		"another model":               {`{"type":"session.update","session":{"model":"dear"}}`, "invalid_value", kept},
		"another model behind escape": {`{"type":"session.\u0075pdate","session":{"m\u006fdel":"dear"}}`, "invalid_value", kept},
		"a type twice":                {`{"type":"input_audio_buffer.append","type":"session.update","session":{"model":"dear"}}`, "invalid_value", kept},
		"a type in two spellings":     {`{"type":"session.update","Type":"x","session":{"model":"dear"}}`, "invalid_value", kept},
		"a session twice":             {`{"type":"session.update","session":{},"session":{"model":"dear"}}`, "invalid_value", kept},
		"a model twice":               {`{"type":"session.update","session":{"model":"model","model":"dear"}}`, "invalid_value", kept},
		"audio with a hidden update":  {`{"type":"input_audio_buffer.append","audio":"","type":"session.update"}`, "invalid_value", kept},
		"a scribe":                    {message: `{"type":"session.update","session":{"input_audio_transcription":{"model":"scribe"}}}`},
		"a scribe without a price":    {`{"type":"session.update","session":{"input_audio_transcription":{"model":"unheard"}}}`, "model_not_found", kept},
		"no scribe":                   {message: `{"type":"session.update","session":{"input_audio_transcription":null}}`},
		"a model that is a number":    {`{"type":"session.update","session":{"model":1}}`, "invalid_value", kept},
		"a session that is a text":    {`{"type":"session.update","session":"x"}`, "invalid_value", kept},
		"no type":                     {`{}`, "invalid_value", kept},
		"not an object":               {`[]`, "invalid_value", kept},
		"not JSON":                    {`hello`, "invalid_value", kept},
		"nothing":                     {``, "invalid_value", kept},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			billing := NewTurns(newPurse(100_000_000), testModel)
			if err := billing.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err := billing.FromClient(t.Context(), []byte(test.message))
			if code := codeOf(err); code != test.code {
				t.Fatalf("refused with %q (%v), want %q", code, err, test.code)
			}
			if refusal, ok := errors.AsType[*Refusal](err); ok && refusal.KeepOpen != test.keepsOpen {
				t.Errorf("keeps the session open: %t", refusal.KeepOpen)
			}
		})
	}
}

func TestWhatCannotBeRecordedEndsTheSession(t *testing.T) {
	wallet := newPurse(100_000_000)
	billing := NewTurns(wallet, testModel)
	if err := billing.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the disk is full")
	wallet.set(func(p *purse) { p.broken = broken })
	if err := billing.FromServer(t.Context(), []byte(done("a", wholeUsage))); !errors.Is(err, broken) {
		t.Errorf("the charge that failed is %v", err)
	}
}

func TestKeysForgetTheOldest(t *testing.T) {
	var remembered keys
	for i := range maxBilledKeys + 1 {
		if !remembered.add(fmt.Sprint(i)) {
			t.Fatalf("%d is not new", i)
		}
	}
	if remembered.add(fmt.Sprint(maxBilledKeys)) || remembered.add("1") {
		t.Error("a key that is remembered counts as new")
	}
	if !remembered.add("0") {
		t.Error("the oldest key is still remembered")
	}
	if len(remembered.known) != maxBilledKeys {
		t.Errorf("%d keys are remembered, at most %d may be", len(remembered.known), maxBilledKeys)
	}
}

func TestALongTurnMakesTheNextHoldLarge(t *testing.T) {
	wallet := newPurse(100_000_000)
	billing := NewTurns(wallet, testModel)
	tellStory(t, wallet, billing, []step{server(created("a")), server(done("a", `{"input_tokens":30000,"output_tokens":500,"input_token_details":{"text_tokens":30000}}`))})
	last := pricing.Usage{InText: 30_000, OutText: 500}
	if want := firstHolds - cost(firstTurn) + cost(nextTurn(last, pricing.Usage{})); wallet.held != want {
		t.Errorf("%d tokens are held, want %d", wallet.held, want)
	}
}

// Counts that nobody believes do not end the session: the next turn is taken for
// what an ordinary one is.
func TestCountsThatAreNotBelievedPredictNothing(t *testing.T) {
	wallet := newPurse(1_000_000_000_000_000) // this one believes them
	billing := NewTurns(wallet, testModel)
	tellStory(t, wallet, billing, []step{server(created("a")), server(done("a", `{"input_tokens":900000000000,"output_tokens":500,"input_token_details":{"text_tokens":900000000000}}`))})
	if wallet.held != firstHolds {
		t.Errorf("%d tokens are held, want %d", wallet.held, firstHolds)
	}
}
