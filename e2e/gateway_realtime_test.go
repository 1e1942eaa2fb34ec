package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"sokuji/e2e/testserver"
	"sokuji/internal/fakeprovider"
)

const (
	// A turn of three words, answered with as many, costs 12 wallet tokens a word.
	threeWords = `{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"one two three"}]}}`
	turnCharge = (3 + 3) * 12
	quickTurn  = `{"type":"response.create","response":{"output_modalities":["text"],"metadata":{"fake":"words=3"}}}`
	slowTurn   = `{"type":"response.create","response":{"output_modalities":["text"],"metadata":{"fake":"words=1000,slow=20ms"}}}`
)

// openSession begins a realtime session in which one turn is over and another runs.
func openSession(t *testing.T, server *testserver.Server, user testserver.User) (context.Context, *websocket.Conn) {
	t.Helper()
	ctx := bounded(t)
	socket, _, err := websocket.Dial(ctx, server.URL+"/v1/realtime?model="+gatewayModel, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + user.Token}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.CloseNow() })
	for _, message := range []string{threeWords, quickTurn} {
		if err := socket.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	awaitEvent(t, ctx, socket, `"response.done"`)
	if err := socket.Write(ctx, websocket.MessageText, []byte(slowTurn)); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, ctx, socket, `.delta"`)
	return ctx, socket
}

func awaitEvent(t *testing.T, ctx context.Context, socket *websocket.Conn, mark string) string {
	t.Helper()
	for {
		_, message, err := socket.Read(ctx)
		if err != nil {
			t.Fatalf("no %s came: %v", mark, err)
		}
		if strings.Contains(string(message), mark) {
			return string(message)
		}
	}
}

// A session in the middle of a turn is told of a shutdown, and what the turn had
// cost until then is charged.
func TestASessionEndsAfterSIGTERM(t *testing.T) {
	provider := httptest.NewServer(fakeprovider.Handler())
	t.Cleanup(provider.Close)
	server, user := startGateway(t, provider)
	ctx, socket := openSession(t, server, user)
	ended := make(chan int, 1)
	go func() {
		exitCode, _ := server.Stop() // the exit code tells
		ended <- exitCode
	}()
	awaitEvent(t, ctx, socket, "server_shutting_down")
	if _, _, err := socket.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the socket ended with %v", err)
	}
	if exitCode := <-ended; exitCode != 0 {
		t.Errorf("the server ended with %d", exitCode)
	}
	books := auditBooks(t, server.Dir)
	wallet := books.wallets[user.ID]
	if charged := gatewayTokens - wallet.balance; wallet.held != 0 || charged <= turnCharge || charged >= turnCharge+1000*12 {
		t.Errorf("the wallet has %+v: the second turn is not charged as far as it came", wallet)
	}
}

// A crash keeps the turns that were charged, and releases what was held for others.
func TestACrashKeepsTheTurnsOfASession(t *testing.T) {
	provider := httptest.NewServer(fakeprovider.Handler())
	t.Cleanup(provider.Close)
	server, user := startGateway(t, provider)
	openSession(t, server, user)
	server.Kill()
	server = testserver.StartAgain(t, server)
	after, err := server.Balance(bounded(t), user.ID)
	if err != nil || after.Held != 0 || after.Balance != gatewayTokens-turnCharge {
		t.Errorf("after the crash the wallet has %+v, %v, want %d tokens", after, err, gatewayTokens-turnCharge)
	}
	auditBooks(t, server.Dir)
}
