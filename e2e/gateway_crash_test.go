package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sokuji/e2e/testserver"
)

const (
	crashedStreams  = 8
	gatewayTokens   = 1_000_000
	gatewayModel    = "crash-model"
	gatewayRate     = 100_000_000 // micro-USD a million: 12 wallet tokens each
	gatewayHoldName = "gateway:"
)

// stallingProvider streams one event and then waits, until it is told to go on or
// its caller goes.
func stallingProvider(t *testing.T, proceed <-chan struct{}) *httptest.Server {
	t.Helper()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only a body that is read lets us notice that the caller goes
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, `data: {"choices":[{"index":0,"delta":{"content":"hello"}}]}`+"\n\n")
		http.NewResponseController(w).Flush()
		select {
		case <-proceed:
			fmt.Fprint(w, `data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`+"\n\ndata: [DONE]\n\n")
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(provider.Close)
	return provider
}

// startGateway starts a server on a provider, with a price for its model and a user
// who can pay.
func startGateway(t *testing.T, provider *httptest.Server) (*testserver.Server, testserver.User) {
	t.Helper()
	server := testserver.Start(t, testserver.Options{Env: []string{
		"OPENAI_API_KEY=sk-canary", "OPENAI_BASE_URL=" + provider.URL + "/v1", "GATEWAY_ALLOW_PRIVATE=true",
	}})
	user := newUser(t, server)
	mint(t, server, user.ID, gatewayTokens)
	allowStreams(t, server, user)
	_, err := server.CallJSON(bounded(t), testserver.Request{
		Path: "/api/collections/prices/records", Token: superuserToken(t, server),
		Body: map[string]any{"provider": "openai", "model": gatewayModel, "in_text": gatewayRate, "out_text": gatewayRate, "in_audio": gatewayRate, "out_audio": gatewayRate},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return server, user
}

// allowStreams lets a user have as many streams at a time as a test opens.
func allowStreams(t *testing.T, server *testserver.Server, user testserver.User) {
	t.Helper()
	var found struct {
		Items []struct{ ID string }
	}
	records := "/api/collections/entitlements/records"
	_, err := server.CallJSON(bounded(t), testserver.Request{
		Path: records + "?filter=subject_id%3D%22" + user.ID + "%22", Token: superuserToken(t, server),
	}, &found)
	if err != nil || len(found.Items) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	_, err = server.CallJSON(bounded(t), testserver.Request{
		Method: http.MethodPatch, Path: records + "/" + found.Items[0].ID, Token: superuserToken(t, server),
		Body: map[string]any{"max_concurrent_sessions": crashedStreams},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

// openStream begins a stream and returns it when its first event is there.
func openStream(t *testing.T, server *testserver.Server, user testserver.User, key string) *bufio.Scanner {
	t.Helper()
	body, err := json.Marshal(map[string]any{"model": gatewayModel, "stream": true, "max_tokens": 100,
		"messages": []map[string]string{{"role": "user", "content": "hello"}}})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(bounded(t), http.MethodPost, server.URL+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+user.Token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	if response.StatusCode != http.StatusOK || !lines.Scan() || !strings.Contains(lines.Text(), "hello") {
		t.Fatalf("the stream began with %d, %q", response.StatusCode, lines.Text())
	}
	return lines
}

func rest(lines *bufio.Scanner) string {
	var all strings.Builder
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
	}
	return all.String()
}

// A crash in the middle of streams leaves no open hold and no charge: what was
// used is not known for certain. The same keys may be used again.
func TestACrashMidStreamChargesNothing(t *testing.T) {
	proceed := make(chan struct{})
	server, user := startGateway(t, stallingProvider(t, proceed))
	for number := range crashedStreams {
		openStream(t, server, user, fmt.Sprint("key-", number))
	}
	before, err := server.Balance(bounded(t), user.ID)
	if err != nil || before.Held == 0 || before.Balance != gatewayTokens {
		t.Fatalf("in the middle of the streams the wallet has %+v, %v", before, err)
	}
	server.Kill()
	server = testserver.StartAgain(t, server)
	after, err := server.Balance(bounded(t), user.ID)
	if err != nil || after.Held != 0 || after.Balance != gatewayTokens {
		t.Errorf("after the crash the wallet has %+v, %v", after, err)
	}
	released := 0
	for _, hold := range auditBooks(t, server.Dir).holds {
		if strings.HasPrefix(hold.reference, gatewayHoldName) && hold.state == "released" {
			released++
		}
	}
	if released != crashedStreams {
		t.Errorf("%d holds were released, want %d", released, crashedStreams)
	}

	close(proceed)
	if got := rest(openStream(t, server, user, "key-0")); !strings.Contains(got, "[DONE]") {
		t.Errorf("the repeated call ended with %q", got)
	}
	if got := balanceOf(t, server, user.ID); got != gatewayTokens-(10+5)*12 {
		t.Errorf("after the repeated call the balance is %d", got)
	}
	auditBooks(t, server.Dir)
}

// A stream in flight comes to its end after SIGTERM, and is charged.
func TestAStreamEndsAfterSIGTERM(t *testing.T) {
	proceed := make(chan struct{})
	server, user := startGateway(t, stallingProvider(t, proceed))
	stream := openStream(t, server, user, "one")
	ended := make(chan int, 1)
	go func() {
		exitCode, _ := server.Stop() // the exit code tells
		ended <- exitCode
	}()
	awaitClosedPort(t, server)
	close(proceed)
	if got := rest(stream); !strings.Contains(got, "[DONE]") {
		t.Errorf("the stream ended with %q", got)
	}
	if exitCode := <-ended; exitCode != 0 {
		t.Errorf("the server ended with %d", exitCode)
	}
	books := auditBooks(t, server.Dir)
	if wallet := books.wallets[user.ID]; wallet.balance != gatewayTokens-(10+5)*12 || wallet.held != 0 {
		t.Errorf("the wallet has %+v", wallet)
	}
}
