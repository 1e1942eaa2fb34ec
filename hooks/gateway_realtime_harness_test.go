package hooks

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sokuji/internal/fakeprovider"
)

// What a token of each class costs, in wallet tokens, at the rates of speakingRates.
const (
	heardWord, heardSound             = 12, 24
	heardWordAgain, heardSoundAgain   = 6, 3
	saidWord, saidSound               = 36, 48
	writtenDownPerSecond, translation = 12, 600 // by the second, the first at the price that is seeded
)

const (
	speaker    = "test-realtime"
	translator = "test-translate"
	scribe     = "whisper-1"
)

// newRealtimeHouse is a gateway house in front of the fake provider, with models
// that speak, write down and translate.
func newRealtimeHouse(t *testing.T, settings ...string) *gatewayHouse {
	t.Helper()
	g := newGatewayHouse(t, fakeprovider.Handler().ServeHTTP, settings...)
	price := func(model string, rates ...any) {
		g.do("POST", "/api/collections/prices/records", g.asRoot(), object(append([]any{"provider", "openai", "model", model}, rates...)...)).want(200)
	}
	price(speaker, "in_text", 100_000_000, "in_audio", 200_000_000, "in_cached_text", 50_000_000, "in_cached_audio", 25_000_000,
		"out_text", 300_000_000, "out_audio", 400_000_000)
	price(translator, "milliseconds", 5_000_000)
	g.allowSessions(100)
	return g
}

// allowSessions says how many sessions alice may have at a time.
func (g *gatewayHouse) allowSessions(most int) {
	g.t.Helper()
	g.mustExecute("UPDATE entitlements SET max_concurrent_sessions = {:most}", "most", most)
	g.server.entitlements.Clear()
}

// talk is a client's end of a session.
type talk struct {
	t        *testing.T
	ctx      context.Context
	socket   *websocket.Conn
	response *http.Response
}

func (g *gatewayHouse) dial(path string, as credential, protocols ...string) (*talk, error) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), 20*time.Second)
	g.t.Cleanup(cancel)
	header := g.request("GET", path, as, "").Header
	socket, response, err := websocket.Dial(ctx, g.srv.URL+path, &websocket.DialOptions{HTTPHeader: header, Subprotocols: protocols})
	if err != nil {
		return &talk{t: g.t, response: response}, err
	}
	g.t.Cleanup(func() { socket.CloseNow() })
	socket.SetReadLimit(-1)
	return &talk{t: g.t, ctx: ctx, socket: socket, response: response}, nil
}

// talk opens a session with the model that speaks.
func (g *gatewayHouse) talk() *talk {
	g.t.Helper()
	k, err := g.dial("/v1/realtime?model="+speaker, bearer(g.key))
	if err != nil {
		g.t.Fatal(err)
	}
	return k
}

func (k *talk) say(messages ...string) *talk {
	k.t.Helper()
	for _, message := range messages {
		if err := k.socket.Write(k.ctx, websocket.MessageText, []byte(message)); err != nil {
			k.t.Fatal(err)
		}
	}
	return k
}

// until reads up to an event of a type.
func (k *talk) until(kind string) string {
	k.t.Helper()
	var seen []string
	for {
		_, message, err := k.socket.Read(k.ctx)
		if err != nil {
			k.t.Fatalf("no %s came, but %v and then %v", kind, seen, err)
		}
		var event struct{ Type string }
		if json.Unmarshal(message, &event) != nil {
			k.t.Fatalf("not an event: %s", message)
		}
		if event.Type == kind {
			return string(message)
		}
		seen = append(seen, event.Type)
	}
}

// wantEnd reads the error and the close code that end the session.
func (k *talk) wantEnd(code string, closed websocket.StatusCode) {
	k.t.Helper()
	if message := k.until("error"); errorCode(message) != code {
		k.t.Errorf("the session ends with %s, want %s", message, code)
	}
	_, _, err := k.socket.Read(k.ctx)
	if websocket.CloseStatus(err) != closed {
		k.t.Errorf("the socket ends with %v, want code %d", err, closed)
	}
}

// turn says three words and has them answered, in text.
func (k *talk) turn(switches string) *talk {
	k.t.Helper()
	return k.say(item("one two three"), answerInText(switches))
}

func item(text string) string {
	return fmt.Sprintf(`{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":%q}]}}`, text)
}

func answerInText(switches string) string {
	return fmt.Sprintf(`{"type":"response.create","response":{"output_modalities":["text"],"metadata":{"fake":%q}}}`, switches)
}

func sound(event string, milliseconds int) string {
	return fmt.Sprintf(`{"type":%q,"audio":%q}`, event, base64.StdEncoding.EncodeToString(make([]byte, 48*milliseconds)))
}

// scripted is a provider of sessions that a test writes: it is told what the client
// sends, and says what it wants.
func scripted(told func(message string, say func(messages ...string))) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer socket.CloseNow()
		socket.SetReadLimit(-1)
		ctx := context.WithoutCancel(r.Context())
		say := func(messages ...string) {
			for _, message := range messages {
				_ = socket.Write(ctx, websocket.MessageText, []byte(message)) // a client who left is noticed at the next read
			}
		}
		say(`{"type":"session.created","session":{}}`)
		for {
			_, message, err := socket.Read(ctx)
			if err != nil {
				return
			}
			told(string(message), say)
		}
	}
}

const commit = `{"type":"input_audio_buffer.commit"}`

// charges lists what alice was charged, oldest first: the event, the tokens, and how
// it is known.
func (g *gatewayHouse) charges() string {
	g.t.Helper()
	usage := g.do("GET", "/api/wallet/usage?userId="+g.alice.Id, g.asRoot(), "").want(200)
	var rows []string
	for i := usage.length("usage") - 1; i >= 0; i-- {
		row := fmt.Sprintf("usage.%d.", i)
		kind := strings.TrimPrefix(usage.text(row+"eventType"), "conversation.item.input_audio_")
		rows = append(rows, fmt.Sprintf("%s %d %s", kind, usage.number(row+"chargedTokens"), usage.text(row+"settledBy")))
	}
	return strings.Join(rows, ", ")
}

// wantCharges waits for the session to end, and compares the books.
func (g *gatewayHouse) wantCharges(want string) {
	g.t.Helper()
	var held int64 = -1
	for deadline := time.Now().Add(10 * time.Second); held != 0 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		held = g.do("GET", "/api/wallet/balance?userId="+g.alice.Id, g.asRoot(), "").want(200).number("held")
	}
	if held != 0 {
		g.t.Errorf("%d tokens are still held", held)
	}
	if got := g.charges(); got != want {
		g.t.Errorf("charged were %q, want %q", got, want)
	}
}
