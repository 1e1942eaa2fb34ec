package hooks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sokuji/internal/apikeys"
)

// Turns of the fake provider: see its rule.
const (
	firstTurn  = 3*heardWord + 7*saidWord                                     // three words, of which seven are made
	secondTurn = 3*heardWordAgain + (7+3)*heardWord + 7*saidWord              // all of it again, and three more
	twoSeconds = 20*heardSound + 4*saidWord + 8*saidSound                     // no word was heard: "The fake provider heard:"
	heardAgain = 20*heardSoundAgain + 8*heardSound + 4*heardWord + 2*saidWord // its own answer is new
)

func TestRealtimeTurnsAreChargedByClass(t *testing.T) {
	g := newRealtimeHouse(t)
	k := g.talk()
	k.until("session.created")
	k.turn("").until("response.done")
	k.turn("").until("response.done")
	k.socket.Close(websocket.StatusNormalClosure, "")
	g.wantCharges(fmt.Sprintf("response.done %d provider, response.done %d provider", firstTurn, secondTurn))

	usage := g.do("GET", "/api/wallet/usage?userId="+g.alice.Id, g.asRoot(), "").want(200)
	for path, want := range map[string]string{
		"provider": "openai", "model": speaker, "endpoint": "/v1/realtime", "method": "GET", "responseId": "resp_2",
		"sessionId": k.response.Header.Get("x-request-id"), "requestId": k.response.Header.Get("x-request-id"), "metadata.upstream": "openai",
	} {
		if shown := usage.text("usage.0." + path); shown != want {
			t.Errorf("the usage row's %s is %q, want %q", path, shown, want)
		}
	}
	for path, want := range map[string]int64{"counts.in_text": 10, "counts.in_cached_text": 3, "counts.out_text": 7, "status": 101} {
		if shown := usage.number("usage.0." + path); shown != want {
			t.Errorf("the usage row's %s is %d, want %d", path, shown, want)
		}
	}
	if usage.text("usage.0.apiKeyId") == "" || usage.text("usage.0.priceId") == "" {
		t.Errorf("the usage row is %s", usage.body)
	}
}

func TestRealtimeSoundIsChargedByClass(t *testing.T) {
	g := newRealtimeHouse(t)
	k := g.talk()
	k.say(sound("input_audio_buffer.append", 2_000), commit, `{"type":"response.create"}`).until("response.done")
	k.say(answerInText("words=2")).until("response.done")
	k.socket.Close(websocket.StatusNormalClosure, "")
	g.wantCharges(fmt.Sprintf("response.done %d provider, response.done %d provider", twoSeconds, heardAgain))
}

func TestRealtimeTranscriptionsHaveAPriceOfTheirOwn(t *testing.T) {
	for name, test := range map[string]struct {
		model   string
		charged int64
	}{
		"priced by time":                {scribe, 2 * writtenDownPerSecond},
		"without a price, as the model": {"my-own-transcriber", 20*heardSound + 3*saidWord},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRealtimeHouse(t)
			k := g.talk()
			k.say(fmt.Sprintf(`{"type":"session.update","session":{"audio":{"input":{"transcription":{"model":%q}}}}}`, test.model),
				sound("input_audio_buffer.append", 2_000), commit)
			k.until("conversation.item.input_audio_transcription.completed")
			k.socket.Close(websocket.StatusNormalClosure, "")
			g.wantCharges(fmt.Sprintf("transcription.completed %d provider", test.charged))
		})
	}
}

func TestRealtimeTranslationsAreChargedByTime(t *testing.T) {
	g := newRealtimeHouse(t)
	k, err := g.dial("/v1/realtime/translations?model="+translator, nobody, "realtime", "openai-insecure-api-key."+g.key)
	if err != nil {
		t.Fatal(err)
	}
	k.until("session.created")
	k.say(`{"type":"session.update","session":{"audio":{"output":{"language":"de"}}}}`).until("session.updated")
	for range 4 {
		k.say(sound("session.input_audio_buffer.append", 10_000)).until("session.output_audio.delta")
	}
	k.say(`{"type":"session.close"}`).until("session.closed")
	g.wantCharges(fmt.Sprintf("realtime/translations %d estimate, realtime/translations %d estimate", 30*translation, 10*translation))
	if call := g.up.last(t); call.path != "/v1/realtime/translations" || call.header.Get("Authorization") != "Bearer "+providerKey {
		t.Errorf("the provider saw %s with %q", call.path, call.header.Get("Authorization"))
	}
}

// TestHowRealtimeSessionsEnd is the settlement table of sessions, in the real books.
func TestHowRealtimeSessionsEnd(t *testing.T) {
	whole := fmt.Sprintf("response.done %d provider", firstTurn)
	tests := map[string]struct {
		act     func(g *gatewayHouse, k *talk)
		code    string // of the error event
		closed  websocket.StatusCode
		charged string
	}{
		"frozen during a turn": {
			act: func(g *gatewayHouse, k *talk) {
				k.turn("slow=50ms").until("response.created")
				g.do("POST", "/api/wallet/freeze", g.asRoot(), object("userId", g.alice.Id, "reason", "test")).want(200)
				k.until("response.done")
			}, code: "wallet_frozen", closed: 1008, charged: whole,
		},
		"empty after a turn": {
			act: func(g *gatewayHouse, k *talk) {
				k.turn("slow=50ms").until("response.created")
				rest := g.balance(g.alice)
				g.do("POST", "/api/wallet/use", g.asRoot(), object("userId", g.alice.Id, "amount", rest, "allowNegative", true)).want(200)
				k.until("response.done")
			}, code: "insufficient_quota", closed: 1008, charged: " 1000000 , " + whole,
		},
		"the key is revoked during a turn": {
			act: func(g *gatewayHouse, k *talk) {
				k.turn("slow=50ms").until("response.created")
				g.mustExecuteKeyDelete()
				k.until("response.done")
			}, code: "invalid_api_key", closed: 1008, charged: whole,
		},
		"the provider breaks off": {
			act:  func(g *gatewayHouse, k *talk) { k.turn("cut=2") },
			code: "provider_error", closed: 1011, charged: fmt.Sprintf("realtime %d partial", heardByOurCount("cut=2")+3*saidWord), /* nine letters */
		},
		"the provider reports a failure": {
			act: func(g *gatewayHouse, k *talk) {
				k.turn("fail=2").until("response.done")
				g.server.gateway.cut(errDraining)
			}, code: "server_shutting_down", closed: 1001, charged: fmt.Sprintf("response.done %d provider", 3*heardWord+2*saidWord),
		},
		"the provider reports nothing": {
			act: func(g *gatewayHouse, k *talk) {
				k.turn("usage=missing").until("response.done")
				g.server.gateway.cut(errDraining)
			}, code: "server_shutting_down", closed: 1001, charged: fmt.Sprintf("response.done %d estimate", heardByOurCount("usage=missing")+10*saidWord),
		},
		"the provider reports twice": {
			act: func(g *gatewayHouse, k *talk) {
				k.turn("twice").until("response.done")
				k.until("response.done")
				g.server.gateway.cut(errDraining)
			}, code: "server_shutting_down", closed: 1001, charged: whole,
		},
		"an explicit zero": {
			act: func(g *gatewayHouse, k *talk) {
				k.turn("usage=zero").until("response.done")
				g.server.gateway.cut(errDraining)
			}, code: "server_shutting_down", closed: 1001, charged: "response.done 0 provider",
		},
		"counts that cannot be cost what was held": { // and the session goes on
			act: func(g *gatewayHouse, k *talk) {
				k.turn("in=60000000").until("response.done")
				k.turn("usage=zero").until("response.done")
				g.server.gateway.cut(errDraining)
			}, code: "server_shutting_down", closed: 1001,
			charged: fmt.Sprintf("response.done %d estimate, response.done 0 provider", 2_000*heardWord+1_000*heardSound+1_000*saidWord+1_200*saidSound),
		},
		"a turn beyond what was held is charged whole": {
			act: func(g *gatewayHouse, k *talk) {
				k.turn("out=10000").until("response.done")
				g.server.gateway.cut(errDraining)
			}, code: "server_shutting_down", closed: 1001, charged: fmt.Sprintf("response.done %d provider", 3*heardWord+10_000*saidWord),
		},
		"drained in the middle: the provider is asked what it cost": {
			act: func(g *gatewayHouse, k *talk) {
				k.turn("words=1000,slow=20ms").until("response.created")
				g.server.gateway.cut(errDraining)
			}, code: "server_shutting_down", closed: 1001, charged: "response.done * provider",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g := newRealtimeHouse(t)
			k := g.talk()
			test.act(g, k)
			k.wantEnd(test.code, test.closed)
			if before, after, open := strings.Cut(test.charged, "*"); open {
				g.wantOneCharge(before, after)
				return
			}
			g.wantCharges(test.charged)
		})
	}
}

// heardByOurCount is what it costs to hear the messages of a turn: a token for each
// four bytes.
func heardByOurCount(switches string) int {
	return (len(item("one two three")+answerInText(switches)) + 3) / 4 * heardWord
}

// TestATranscriptionIsPaidForHoweverItEnds: by the provider's report, if it comes
// soon, and else by our count of the sound.
func TestATranscriptionIsPaidForHoweverItEnds(t *testing.T) {
	const piece = `{"type":"conversation.item.input_audio_transcription.delta","item_id":"i","content_index":0,"delta":"What was said."}`
	const report = `{"type":"conversation.item.input_audio_transcription.completed","item_id":"i","content_index":0,"transcript":"What was said."`
	for name, test := range map[string]struct {
		told    string // by the provider, when the client has gone
		charged string
	}{
		"reported":               {report + `,"usage":{"type":"duration","seconds":3}}`, fmt.Sprintf("transcription.completed %d provider", 3*writtenDownPerSecond)},
		"reported without usage": {report + `}`, fmt.Sprintf("transcription.completed %d estimate", 2*writtenDownPerSecond)},
		"never reported":         {`{"type":"rate_limits.updated"}`, fmt.Sprintf("realtime %d partial", 2*writtenDownPerSecond)},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRealtimeHouse(t)
			g.up.become(scripted(func(message string, say func(...string)) {
				if message != commit {
					return
				}
				say(`{"type":"input_audio_buffer.committed","item_id":"i"}`, piece)
				time.Sleep(100 * time.Millisecond) // the client leaves meanwhile
				say(test.told, test.told)
			}))
			k := g.talk()
			k.say(fmt.Sprintf(`{"type":"session.update","session":{"audio":{"input":{"transcription":{"model":%q}}}}}`, scribe),
				sound("input_audio_buffer.append", 2_000), commit)
			k.until("conversation.item.input_audio_transcription.delta")
			k.socket.Close(websocket.StatusNormalClosure, "")
			g.wantCharges(test.charged)
		})
	}
}

// wantOneCharge compares a charge whose amount depends on when it was cut.
func (g *gatewayHouse) wantOneCharge(before, after string) {
	g.t.Helper()
	g.settled()
	if got := g.charges(); !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) || strings.Contains(got, ",") {
		g.t.Errorf("charged were %q", got)
	}
}

func TestAClientThatHangsUpPaysWhatTheProviderReports(t *testing.T) {
	g := newRealtimeHouse(t)
	k := g.talk()
	k.turn("words=1000,slow=20ms").until("response.output_text.delta")
	k.socket.CloseNow()
	g.wantOneCharge("response.done ", " provider")
}

// TestAClientThatReadsNothingPaysWhatTheProviderReports: what fills the socket to
// the client does not keep the report from being read.
func TestAClientThatReadsNothingPaysWhatTheProviderReports(t *testing.T) {
	g := newRealtimeHouse(t)
	cancelled := make(chan struct{})
	g.up.become(scripted(func(message string, say func(...string)) {
		switch {
		case strings.Contains(message, "response.create"):
			go func() {
				say(`{"type":"response.created","response":{"id":"resp_1"}}`)
				for spoken := false; !spoken; {
					say(fmt.Sprintf(`{"type":"response.output_audio.delta","response_id":"resp_1","delta":%q}`, strings.Repeat("AAAA", 50_000)))
					select {
					case <-cancelled:
						spoken = true
					default:
					}
				}
				say(`{"type":"response.done","response":{"id":"resp_1","status":"cancelled","usage":{"input_tokens":3,"output_tokens":2}}}`)
			}()
		case strings.Contains(message, "response.cancel"):
			close(cancelled)
		}
	}))
	k := g.talk()
	k.say(answerInText("")).until("response.output_audio.delta")
	time.Sleep(200 * time.Millisecond) // the socket fills
	if err := k.socket.Write(k.ctx, websocket.MessageBinary, []byte("x")); err != nil {
		t.Fatal(err)
	}
	g.wantCharges(fmt.Sprintf("response.done %d provider", 3*heardWord+2*saidWord))
}

func TestWhoMayNotOpenASessionReadsWhy(t *testing.T) {
	g := newRealtimeHouse(t)
	poor := bearer(g.keyOfBob())
	for name, test := range map[string]struct {
		path string
		as   credential
		code string
	}{
		"an empty wallet":            {"/v1/realtime?model=" + speaker, poor, "insufficient_quota"},
		"an empty wallet translates": {"/v1/realtime/translations?model=" + translator, poor, "insufficient_quota"},
		"a model without a price":    {"/v1/realtime?model=unheard", bearer(g.key), "model_not_found"},
		"a model by time on turns":   {"/v1/realtime?model=" + translator, bearer(g.key), "model_not_found"},
		"a model by turns on time":   {"/v1/realtime/translations?model=" + speaker, bearer(g.key), "model_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			before := g.up.count()
			k, err := g.dial(test.path, test.as)
			if err != nil {
				t.Fatal(err)
			}
			k.wantEnd(test.code, websocket.StatusPolicyViolation)
			if g.up.count() != before {
				t.Error("the provider was called")
			}
		})
	}
	g.wantCharges("")
}

// keyOfBob is a key for a wallet without tokens.
func (g *gatewayHouse) keyOfBob() string {
	g.t.Helper()
	alice := g.alice
	defer func() { g.alice = alice }()
	g.alice = g.bob
	return g.house.key(apikeys.ScopeGateway)
}

func TestWhoIsAdmittedToRealtime(t *testing.T) {
	g := newRealtimeHouse(t)
	signed := g.aliceSession().signed
	path := "/v1/realtime?model=" + speaker
	for name, test := range map[string]struct {
		path      string
		as        credential
		protocols []string
		status    int
		protocol  string // confirmed
	}{
		"a key":                               {path, bearer(g.key), nil, 101, ""},
		"a key and the sub-protocol":          {path, bearer(g.key), []string{"realtime"}, 101, "realtime"},
		"a key in the sub-protocol":           {path, nobody, []string{"realtime", "openai-insecure-api-key." + g.key, "openai-beta.realtime-v1"}, 101, "realtime"},
		"only a key in the sub-protocol":      {path, nobody, []string{"openai-insecure-api-key." + g.key}, 101, ""},
		"a wrong key in the sub-protocol":     {path, nobody, []string{"realtime", "openai-insecure-api-key.sk-sokuji-nothing"}, 401, ""},
		"a page's cookie":                     {path, cookie(signed, trustedOrigin), nil, 101, ""},
		"a cookie from another page":          {path, cookie(signed, foreignOrigin), nil, 403, ""},
		"a cookie from nowhere":               {path, cookie(signed, ""), nil, 403, ""},
		"a user's token":                      {path, g.asAlice(), nil, 101, ""},
		"a superuser":                         {path, g.asRoot(), nil, 403, ""},
		"a key that may only charge":          {path, bearer(g.house.key(apikeys.ScopeWalletCharge)), nil, 403, ""},
		"nobody":                              {path, nobody, nil, 401, ""},
		"a model that is not named":           {"/v1/realtime", bearer(g.key), nil, 400, ""},
		"a model named as Azure's clients do": {"/v1/realtime?api-version=x&deployment=" + speaker, bearer(g.key), nil, 101, ""},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := g.dial(test.path, test.as, test.protocols...)
			if k.response == nil || k.response.StatusCode != test.status {
				t.Fatalf("the handshake ends with %v and %v, want %d", k.response, err, test.status)
			}
			if got := k.response.Header.Get("Sec-WebSocket-Protocol"); got != test.protocol {
				t.Errorf("the confirmed protocol is %q, want %q", got, test.protocol)
			}
			if test.status == http.StatusSwitchingProtocols {
				k.until("session.created")
				k.socket.Close(websocket.StatusNormalClosure, "")
			}
		})
	}
}

func TestTheProviderSeesItsOwnKeyOnly(t *testing.T) {
	g := newRealtimeHouse(t)
	k, err := g.dial("/v1/realtime?model="+speaker+"&secret=1", nobody, "realtime", "openai-insecure-api-key."+g.key, "openai-beta.realtime-v1")
	if err != nil {
		t.Fatal(err)
	}
	k.until("session.created")
	call := g.up.last(t)
	if call.header.Get("Authorization") != "Bearer "+providerKey || call.header.Get("OpenAI-Beta") != "realtime=v1" {
		t.Errorf("the provider saw %v", call.header)
	}
	for name, values := range call.header {
		if strings.Contains(strings.Join(values, " "), g.key) {
			t.Errorf("the provider saw the client's key in %s", name)
		}
	}
	for name, values := range k.response.Header {
		if strings.Contains(strings.Join(values, " "), g.key) {
			t.Errorf("the client's key is echoed in %s", name)
		}
	}
}

func TestMoveProtocolKeys(t *testing.T) {
	for name, test := range map[string]struct {
		in, out http.Header
	}{
		"none":              {http.Header{}, http.Header{}},
		"a key":             {http.Header{protocolHeaderCanonical: {"realtime, openai-insecure-api-key.k"}}, http.Header{protocolHeaderCanonical: {"realtime"}, "Authorization": {"Bearer k"}}},
		"two lines":         {http.Header{protocolHeaderCanonical: {"realtime", "openai-insecure-api-key.k"}}, http.Header{protocolHeaderCanonical: {"realtime"}, "Authorization": {"Bearer k"}}},
		"only a key":        {http.Header{protocolHeaderCanonical: {"openai-insecure-api-key.k"}}, http.Header{"Authorization": {"Bearer k"}}},
		"the header counts": {http.Header{protocolHeaderCanonical: {"openai-insecure-api-key.k"}, "Authorization": {"Bearer h"}}, http.Header{"Authorization": {"Bearer h"}}},
		"the beta":          {http.Header{protocolHeaderCanonical: {"openai-beta.realtime-v1"}}, http.Header{protocolHeaderCanonical: {"openai-beta.realtime-v1"}, "Openai-Beta": {"realtime=v1"}}},
		"empty words":       {http.Header{protocolHeaderCanonical: {" , "}}, http.Header{}},
	} {
		t.Run(name, func(t *testing.T) {
			moveProtocolKeys(test.in)
			if fmt.Sprint(test.in) != fmt.Sprint(test.out) {
				t.Errorf("the headers are %v, want %v", test.in, test.out)
			}
		})
	}
}

const protocolHeaderCanonical = "Sec-Websocket-Protocol"

func TestRealtimeThroughAzure(t *testing.T) {
	g := newRealtimeHouse(t)
	for version, want := range map[string]string{
		"":                   "/openai/v1/realtime",
		"2025-04-01-preview": "/openai/realtime",
	} {
		path := g.provide(g.up, "name", "azure", "kind", "azure", "base_url", g.up.URL, "api_key", "azure-key",
			"azure_api_version", version, "model_map", map[string]string{speaker: "my-deployment"})
		k, err := g.dial("/v1/realtime?model=azure/"+speaker, bearer(g.key))
		if err != nil {
			t.Fatal(err)
		}
		k.until("session.created")
		if call := g.up.last(t); call.path != want || call.header.Get("api-key") != "azure-key" || call.header.Get("Authorization") != "" {
			t.Errorf("Azure saw %s with %v", call.path, call.header)
		}
		g.do("DELETE", path, g.asRoot(), "").want(204)
	}
}

func TestAnotherProviderTakesTheSession(t *testing.T) {
	g := newRealtimeHouse(t)
	broken := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	g.provide(broken, "name", "openai", "priority", 1) // in the place of the environment's
	g.provide(g.up, "name", "other", "priority", 2)
	k := g.talk()
	k.until("session.created")
	k.turn("").until("response.done")
	k.socket.Close(websocket.StatusNormalClosure, "")
	if broken.count() != 1 {
		t.Errorf("the broken provider was tried %d times", broken.count())
	}
	g.wantCharges(fmt.Sprintf("response.done %d provider", firstTurn))
	if shown := g.do("GET", "/api/wallet/usage?userId="+g.alice.Id, g.asRoot(), "").want(200).text("usage.0.metadata.upstream"); shown != "other" {
		t.Errorf("the usage row names the provider %q", shown)
	}
}

func TestWhatAProviderSaysOfOurKeyStaysHere(t *testing.T) {
	g := newGatewayHouse(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "Incorrect API key provided: "+providerKey, http.StatusUnauthorized)
	})
	g.priceFor("openai", speaker, "in_audio", testInRate)
	k := g.talk()
	message := k.until("error")
	if errorCode(message) != "provider_error" || strings.Contains(message, providerKey) {
		t.Errorf("the client reads %s", message)
	}
	g.wantCharges("")
}

func TestRealtimeStaysOutOfPrivateNetworks(t *testing.T) {
	g := newRealtimeHouse(t, "GATEWAY_ALLOW_PRIVATE", "false")
	k := g.talk()
	k.wantEnd("provider_error", websocket.StatusInternalError)
	if g.up.count() != 0 {
		t.Error("the provider in the private network was called")
	}
	g.wantCharges("")
}

func TestSessionsAreBoundByThePlan(t *testing.T) {
	g := newRealtimeHouse(t)
	g.allowSessions(1)
	first := g.talk()
	first.until("session.created")
	g.talk().wantEnd("rate_limit_exceeded", websocket.StatusPolicyViolation)
	first.socket.Close(websocket.StatusNormalClosure, "")
	g.wantCharges("")
	for g.server.callLimits.sessions.Open(g.alice.Id) > 0 {
		time.Sleep(time.Millisecond) // the place is given back last
	}
	g.talk().until("session.created")
}

func TestTurnsCountAgainstTheTokensPerMinute(t *testing.T) {
	g := newRealtimeHouse(t)
	g.execute("UPDATE api_keys SET rate_limit_tpm = 12 WHERE user = {:user}", "user", g.alice.Id)
	g.server.keys.load()
	k := g.talk()
	k.turn("").until("response.done") // 10 of 12
	k.turn("").until("response.done") // 30 of 12
	k.wantEnd("rate_limit_exceeded", websocket.StatusPolicyViolation)
	g.wantCharges(fmt.Sprintf("response.done %d provider, response.done %d provider", firstTurn, secondTurn))
}

func TestAKeyThatIsNotOpenToAModelIsNotOpenToItInASession(t *testing.T) {
	g := newRealtimeHouse(t)
	g.execute("UPDATE api_keys SET allowed_models = {:models} WHERE user = {:user}", "user", g.alice.Id, "models", `["`+speaker+`"]`)
	g.server.keys.load()
	k, err := g.dial("/v1/realtime/translations?model="+translator, bearer(g.key))
	if err != nil {
		t.Fatal(err)
	}
	k.wantEnd("model_not_allowed", websocket.StatusPolicyViolation)
	k = g.talk()
	k.say(fmt.Sprintf(`{"type":"session.update","session":{"input_audio_transcription":{"model":%q}}}`, scribe))
	if message := k.until("error"); errorCode(message) != "model_not_allowed" {
		t.Errorf("the change of the session is refused with %s", message)
	}
	k.turn("").until("response.done") // the session goes on
}
