package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// pipe is one end of a socket in memory, without a buffer: whoever writes waits
// until the other end reads.
type pipe struct {
	in, out  chan frame
	closed   chan struct{} // this end
	other    *pipe
	once     sync.Once
	code     websocket.StatusCode // with which this end closed
	deafened atomic.Bool          // answers no ping
}

type frame struct {
	kind    websocket.MessageType
	message string
}

func newPipe() (near, far *pipe) {
	there, back := make(chan frame), make(chan frame)
	near = &pipe{in: back, out: there, closed: make(chan struct{})}
	far = &pipe{in: there, out: back, closed: make(chan struct{}), other: near}
	near.other = far
	return near, far
}

func (p *pipe) Read(ctx context.Context) (websocket.MessageType, []byte, error) {
	select {
	case got := <-p.in:
		return got.kind, []byte(got.message), nil
	case <-p.closed:
		return 0, nil, io.ErrClosedPipe
	case <-p.other.closed:
		if p.other.code == 0 {
			return 0, nil, io.EOF
		}
		return 0, nil, websocket.CloseError{Code: p.other.code}
	case <-ctx.Done():
		p.CloseNow()
		return 0, nil, ctx.Err()
	}
}

func (p *pipe) Write(ctx context.Context, kind websocket.MessageType, message []byte) error {
	select {
	case p.out <- frame{kind, string(message)}:
		return nil
	case <-p.closed:
		return io.ErrClosedPipe
	case <-p.other.closed:
		return io.ErrClosedPipe
	case <-ctx.Done():
		p.CloseNow()
		return ctx.Err()
	}
}

func (p *pipe) Ping(ctx context.Context) error {
	if !p.other.deafened.Load() {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-p.closed:
		return io.ErrClosedPipe
	}
}

func (p *pipe) Close(code websocket.StatusCode, _ string) error {
	p.once.Do(func() { p.code = code; close(p.closed) })
	return nil
}

func (p *pipe) CloseNow() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipe) send(message string) error {
	return p.Write(context.Background(), websocket.MessageText, []byte(message))
}

// receive is the next message, or how the socket ended.
func (p *pipe) receive() string {
	_, message, err := p.Read(context.Background())
	if err != nil {
		return err.Error()
	}
	return string(message)
}

// scene is a session that a test plays both sides of.
type scene struct {
	t        *testing.T
	wallet   *purse
	client   *pipe
	provider *pipe
	drain    chan struct{}
	ended    chan error
}

// play starts a session in a bubble of its own time, and runs the test in it.
func play(t *testing.T, balance int64, act func(*scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		clientNear, client := newPipe()
		providerNear, provider := newPipe()
		s := &scene{
			t: t, wallet: newPurse(balance), client: client, provider: provider,
			drain: make(chan struct{}), ended: make(chan error, 1),
		}
		session := &Session{
			Client: clientNear, Billing: NewTurns(s.wallet, testModel), Wallet: s.wallet, Drain: s.drain,
			Dial: func(context.Context) (Socket, error) { return providerNear, nil },
		}
		go func() { s.ended <- session.Run(context.Background()) }()
		synctest.Wait() // the session is open
		act(s)
		client.CloseNow()
		provider.CloseNow()
		synctest.Wait()
		if story := s.wallet.story(); strings.Contains(story, "are open") {
			t.Errorf("when the session is over, %s", story)
		}
	})
}

func (s *scene) fromProvider(messages ...string) {
	s.t.Helper()
	for _, message := range messages {
		if err := s.provider.send(message); err != nil {
			s.t.Fatalf("the relay does not read from the provider: %v", err)
		}
		if got := s.client.receive(); got != message {
			s.t.Fatalf("the client received %s, want %s", got, message)
		}
	}
}

func (s *scene) fromClient(message string) {
	s.t.Helper()
	if err := s.client.send(message); err != nil {
		s.t.Fatalf("the relay does not read from the client: %v", err)
	}
	if got := s.provider.receive(); got != message {
		s.t.Fatalf("the provider received %s, want %s", got, message)
	}
}

// wantEnd reads the error event and the close code that end the session.
func (s *scene) wantEnd(code string, closed websocket.StatusCode) {
	s.t.Helper()
	if code != "" {
		var event struct {
			Type    string
			EventID string `json:"event_id"`
			Error   struct{ Type, Code, Message string }
		}
		message := s.client.receive()
		if err := json.Unmarshal([]byte(message), &event); err != nil {
			s.t.Fatalf("the client received %s", message)
		}
		if event.Type != "error" || event.EventID == "" || event.Error.Code != code || event.Error.Message == "" || event.Error.Type == "" {
			s.t.Errorf("the client received %s, want an error %s", message, code)
		}
	}
	_, _, err := s.client.Read(context.Background())
	if websocket.CloseStatus(err) != closed {
		s.t.Errorf("the client's socket ended with %v, want code %d", err, closed)
	}
}

const plenty = 100_000_000

func TestARelayCarriesBothWays(t *testing.T) {
	play(t, plenty, func(s *scene) {
		s.fromProvider(`{"type":"session.created"}`)
		s.fromClient(`{"type":"response.create"}`)
		s.fromProvider(created("a"), said("a"), done("a", zeroUsage))
		s.client.Close(websocket.StatusNormalClosure, "")
		if err := <-s.ended; err != nil {
			s.t.Errorf("the session ended with %v", err)
		}
		wantBills(s.t, s.wallet, []string{"response.done:response:a 0 provider"})
		if _, _, err := s.provider.Read(s.t.Context()); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
			s.t.Errorf("the provider's socket ended with %v", err)
		}
	})
}

// What a provider says of an error does not name the operator's account there; what a
// model says stays as it is.
func TestAnErrorDoesNotNameTheAccount(t *testing.T) {
	play(t, plenty, func(s *scene) {
		for said, want := range map[string]string{
			`{"type":"error","error":{"message":"Rate limit reached in organization org-CANARY"}}`:            `{"type":"error","error":{"message":"Rate limit reached in organization org-***"}}`,
			`{"type":"conversation.item.input_audio_transcription.failed","error":{"message":"proj_CANARY"}}`: `{"type":"conversation.item.input_audio_transcription.failed","error":{"message":"proj_***"}}`,
			`{"type":"response.output_text.delta","response_id":"a","delta":"sk-learn of org-mode"}`:          `{"type":"response.output_text.delta","response_id":"a","delta":"sk-learn of org-mode"}`,
		} {
			if err := s.provider.send(said); err != nil {
				s.t.Fatal(err)
			}
			if got := s.client.receive(); got != want {
				s.t.Errorf("the client received %s, want %s", got, want)
			}
		}
	})
}

func TestWithoutTokensTheProviderIsNotCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, client := newPipe()
		wallet := newPurse(firstHolds - 1)
		s := &scene{t: t, client: client}
		go (&Session{
			Client: near, Billing: NewTurns(wallet, testModel), Wallet: wallet,
			Dial: func(context.Context) (Socket, error) { t.Error("the provider was called"); return nil, io.EOF },
		}).Run(context.Background())
		s.wantEnd("insufficient_quota", websocket.StatusPolicyViolation)
		wantBills(t, wallet, nil)
	})
}

func TestAProviderThatCannotBeReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, client := newPipe()
		wallet := newPurse(plenty)
		s := &scene{t: t, client: client}
		ended := make(chan error, 1)
		go func() {
			ended <- (&Session{
				Client: near, Billing: NewTurns(wallet, testModel), Wallet: wallet,
				Dial: func(context.Context) (Socket, error) { return nil, newProviderGone(io.EOF) },
			}).Run(context.Background())
		}()
		s.wantEnd("provider_error", websocket.StatusInternalError)
		if err := <-ended; !errors.Is(err, io.EOF) {
			t.Errorf("the log has %v, want the cause", err)
		}
		wantBills(t, wallet, nil)
	})
}

// TestHowSessionsEnd is the settlement table of the relay: what the client learns
// and what is charged.
func TestHowSessionsEnd(t *testing.T) {
	const partial = "response.part:a * partial"
	whole := "response.done:response:a 0 provider"
	tests := map[string]struct {
		act    func(*scene)
		code   string
		closed websocket.StatusCode
		bills  []string
	}{
		"frozen after a turn":  {act: func(s *scene) { s.wallet.set(freeze); s.fromProvider(created("a"), done("a", zeroUsage)) }, code: "wallet_frozen", closed: 1008, bills: []string{whole}},
		"empty after a turn":   {act: func(s *scene) { s.wallet.set(empty); s.fromProvider(created("a"), done("a", zeroUsage)) }, code: "insufficient_quota", closed: 1008, bills: []string{whole}},
		"revoked after a turn": {act: func(s *scene) { s.wallet.set(revoke); s.fromProvider(created("a"), done("a", zeroUsage)) }, code: "invalid_api_key", closed: 1008, bills: []string{whole}},
		"revoked while nothing is said": {
			act: func(s *scene) { s.wallet.set(revoke); time.Sleep(pingInterval) }, code: "invalid_api_key", closed: 1008,
		},
		"the provider breaks off": {
			act: func(s *scene) { s.fromProvider(created("a"), said("a")); s.provider.CloseNow() }, code: "provider_error", closed: 1011, bills: []string{partial},
		},
		"the provider ends the session": {
			act: func(s *scene) { s.provider.Close(websocket.StatusNormalClosure, "") }, closed: 1000,
		},
		"the provider ends it for a reason of its own": {
			act: func(s *scene) { s.provider.Close(websocket.StatusPolicyViolation, "sk-secret") }, code: "provider_error", closed: 1011,
		},
		"the server drains in the middle, and the provider reports": {
			act: func(s *scene) {
				s.fromProvider(created("a"), said("a"))
				close(s.drain)
				go func() { s.provider.receive(); s.provider.send(done("a", zeroUsage)) }()
			}, code: "server_shutting_down", closed: 1001, bills: []string{whole},
		},
		"the server drains in the middle, and the provider says no more": {
			act:  func(s *scene) { s.fromProvider(created("a"), said("a")); close(s.drain) },
			code: "server_shutting_down", closed: 1001, bills: []string{partial},
		},
		"nobody says anything": {
			act: func(s *scene) { time.Sleep(maxIdleTime) }, code: "session_idle", closed: 1000,
		},
		"it takes too long": {
			act: func(s *scene) {
				for range MaxSessionTime / (maxIdleTime / 2) {
					time.Sleep(maxIdleTime / 2)
					s.client.send(`{"type":"input_audio_buffer.append","audio":"AAAA"}`)
					s.provider.receive()
				}
			}, code: "session_expired", closed: 1000,
		},
		"the client answers no ping": {
			act: func(s *scene) { s.client.deafened.Store(true); time.Sleep(pingInterval + pongTimeout) }, closed: 1000,
		},
		"the provider answers no ping": {
			act: func(s *scene) { s.provider.deafened.Store(true); time.Sleep(pingInterval + pongTimeout) }, code: "provider_error", closed: 1011,
		},
		"a binary message": {
			act:  func(s *scene) { s.client.Write(context.Background(), websocket.MessageBinary, []byte("{}")) },
			code: "invalid_message", closed: 1003,
		},
		"a panic on the way": {
			act: func(s *scene) {
				s.fromProvider(created("a"), said("a"))
				s.wallet.set(func(p *purse) { p.panics = true })
				s.client.send(`{"type":"response.create"}`)
			}, code: "internal_error", closed: 1011, bills: []string{partial},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			play(t, plenty, func(s *scene) {
				test.act(s)
				s.wantEnd(test.code, test.closed)
				<-s.ended
				wantBills(s.t, s.wallet, test.bills)
			})
		})
	}
}

// TestWhoHangsUpPaysWhatTheProviderReports: the response is cancelled, and its
// report awaited.
func TestWhoHangsUpPaysWhatTheProviderReports(t *testing.T) {
	play(t, plenty, func(s *scene) {
		s.fromProvider(created("a"), said("a"))
		s.client.CloseNow()
		if got := s.provider.receive(); got != `{"response_id":"a","type":"response.cancel"}` {
			s.t.Errorf("the provider was told %s", got)
		}
		s.provider.send(done("a", zeroUsage))
		<-s.ended
		wantBills(s.t, s.wallet, []string{"response.done:response:a 0 provider"})
	})
}

func TestWhoHangsUpPaysOurCountWhereTheProviderSaysNothing(t *testing.T) {
	play(t, plenty, func(s *scene) {
		s.fromProvider(created("a"), said("a"))
		s.client.CloseNow()
		started := time.Now()
		<-s.ended
		if waited := time.Since(started); waited > closingTime+2*closeTimeout {
			s.t.Errorf("the report was awaited for %v", waited)
		}
		wantBills(s.t, s.wallet, []string{"response.part:a * partial"})
	})
}

func TestAMessageThatIsRefusedEndsNothing(t *testing.T) {
	play(t, plenty, func(s *scene) {
		s.client.send(`{"type":"session.update","event_id":"mine","session":{"model":"dear"}}`)
		if got := s.client.receive(); !strings.Contains(got, `"event_id":"mine"`) || !strings.Contains(got, `"param":"session.model"`) {
			s.t.Errorf("the client received %s", got)
		}
		s.fromClient(`{"type":"response.create"}`)
	})
}

// TestASlowSideSlowsTheOther: while one side does not take a message, the relay
// reads none from the other.
func TestASlowSideSlowsTheOther(t *testing.T) {
	play(t, plenty, func(s *scene) {
		s.provider.send(`{"type":"one"}`)
		second := make(chan error, 1)
		go func() { second <- s.provider.send(`{"type":"two"}`) }()
		synctest.Wait()
		select {
		case <-second:
			s.t.Error("the relay read on although the client took nothing")
		default:
		}
		s.client.receive()
		if err := <-second; err != nil {
			s.t.Error(err)
		}
		s.client.receive()
	})
}

// TestAClientThatTakesNothingDoesNotHideTheReport: whoever ends the session while it
// reads nothing keeps the relay from no report.
func TestAClientThatTakesNothingDoesNotHideTheReport(t *testing.T) {
	for name, end := range map[string]func(*scene){
		"a binary message":   func(s *scene) { s.client.Write(context.Background(), websocket.MessageBinary, []byte("x")) },
		"the server's drain": func(s *scene) { close(s.drain) },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, plenty, func(s *scene) {
				s.fromProvider(created("a"))
				s.provider.send(said("a")) // the relay waits for the client to take it
				synctest.Wait()
				end(s)
				if got := s.provider.receive(); got != `{"response_id":"a","type":"response.cancel"}` {
					s.t.Errorf("the provider was told %s", got)
				}
				s.provider.send(done("a", wholeUsage))
				<-s.ended
				wantBills(s.t, s.wallet, []string{fmt.Sprintf("response.done:response:a %d provider", wholeCost)})
			})
		})
	}
}

func TestASideThatTakesNothingIsCut(t *testing.T) {
	play(t, plenty, func(s *scene) {
		s.provider.send(`{"type":"one"}`)
		started := time.Now()
		<-s.ended
		if waited := time.Since(started); waited < writeTimeout || waited > writeTimeout+closingTime+2*closeTimeout {
			s.t.Errorf("the client was given %v", waited)
		}
	})
}
