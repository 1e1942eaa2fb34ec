package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sokuji/e2e/testserver"
)

const (
	shutdownClients = 16
	// loadBeforeSignal is how long clients work before the server is told to end.
	loadBeforeSignal = 300 * time.Millisecond
	// refusalTimeout is what a second server may take to say no.
	refusalTimeout = 10 * time.Second
)

func TestSIGTERMUnderLoadKeepsEveryAnswer(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	user := newUser(t, server)
	superuserToken(t, server)
	history := &history{}
	opening := &operation{kind: "mint", op: testserver.Op{
		UserID: user.ID, Amount: openingTokens, ExternalEventID: "open", Description: "open",
	}}
	opening.send(bounded(t), server)
	history.add(opening)
	var clients []*loadClient
	for number := range shutdownClients {
		clients = append(clients, newLoadClient(1, 0, number, user.ID))
	}

	type ending struct {
		exitCode int
		err      error
	}
	ended := make(chan ending, 1)
	time.AfterFunc(loadBeforeSignal, func() {
		exitCode, err := server.Stop()
		ended <- ending{exitCode, err}
	})
	sent := runClients(bounded(t), server, clients)
	history.add(sent...)

	if end := <-ended; end.err != nil || end.exitCode != 0 {
		t.Errorf("the server ended with exit code %d, %v; want 0", end.exitCode, end.err)
	}
	for _, o := range sent {
		switch o.status {
		case 0, http.StatusOK, http.StatusServiceUnavailable, http.StatusPaymentRequired, http.StatusConflict:
		default:
			t.Errorf("%s was answered with %d", o.op.Description, o.status)
		}
	}
	counts := countFates(sent)
	t.Logf("%d acknowledged, %d refused, %d without an answer", counts[acknowledged], counts[refused], counts[unknown])
	if counts[acknowledged] < shutdownClients {
		t.Errorf("only %d operations were acknowledged before the signal: that tests nothing", counts[acknowledged])
	}
	history.check(t, auditBooks(t, server.Dir))
}

// The request says "Expect: 100-continue", so that its "100 Continue" proves that
// the handler runs and waits for the body while the server is told to end.
func TestARequestInFlightIsAnsweredAfterSIGTERM(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	user := newUser(t, server)
	body := fmt.Sprintf(`{"userId":%q,"amount":7,"description":"in flight"}`, user.ID)
	connection := dial(t, server)
	reader := bufio.NewReader(connection)
	fmt.Fprintf(connection, "POST /api/wallet/mint HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", superuserToken(t, server), len(body))
	if line, err := reader.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("the server said %q, %v; want 100 Continue", line, err)
	}
	if _, err := reader.ReadString('\n'); err != nil {
		t.Fatal(err)
	}

	stopped := make(chan error, 1)
	go func() {
		exitCode, err := server.Stop()
		if err == nil && exitCode != 0 {
			err = fmt.Errorf("exit code %d", exitCode)
		}
		stopped <- err
	}()
	awaitClosedPort(t, server)
	fmt.Fprint(connection, body)

	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("the request in flight got %+v, %v; want 200", response, err)
	}
	response.Body.Close()
	if err := <-stopped; err != nil {
		t.Errorf("the end of the server: %v", err)
	}
	b := auditBooks(t, server.Dir)
	if chain := b.chains[user.ID]; len(chain) != 1 || chain[0].description != "in flight" {
		t.Errorf("the ledger has %+v, want the mint that was in flight", chain)
	}
}

func dial(t *testing.T, server *testserver.Server) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	return connection
}

// awaitClosedPort returns when the server takes no connections any more.
func awaitClosedPort(t *testing.T, server *testserver.Server) {
	t.Helper()
	for ctx := bounded(t); ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
		connection, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_ = connection.Close()
		}
	}
	t.Fatal("the server still takes connections")
}

func TestASecondServerOnTheSameFolderIsRefused(t *testing.T) {
	first := testserver.Start(t, testserver.Options{})
	user := newUser(t, first)
	mint(t, first, user.ID, 1)

	ctx, cancel := context.WithTimeout(t.Context(), refusalTimeout)
	defer cancel()
	output, exitCode, err := testserver.Run(ctx, testserver.Options{Dir: first.Dir}, "serve", "--http", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("the second server did not end within %s: %v\n%s", refusalTimeout, err, output)
	}
	if exitCode == 0 {
		t.Error("the second server ended with exit code 0")
	}
	for _, part := range []string{first.Dir, strconv.Itoa(first.PID())} {
		if !strings.Contains(output, part) {
			t.Errorf("the second server said %q, without %q", output, part)
		}
	}
	mint(t, first, user.ID, 1)
	if exitCode, err := first.Stop(); err != nil || exitCode != 0 {
		t.Errorf("the first server ended with exit code %d, %v; want 0", exitCode, err)
	}
	auditBooks(t, first.Dir)
}

func TestAServerStartsAfterEveryKindOfEnd(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(*testing.T, *testserver.Server)
	}{
		{"SIGKILL", func(_ *testing.T, server *testserver.Server) { server.Kill() }},
		{"SIGTERM", func(t *testing.T, server *testserver.Server) {
			if exitCode, err := server.Stop(); err != nil || exitCode != 0 {
				t.Errorf("exit code %d, %v; want 0", exitCode, err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := testserver.Start(t, testserver.Options{})
			user := newUser(t, server)
			mint(t, server, user.ID, 5)
			test.end(t, server)
			server = testserver.StartAgain(t, server)
			mint(t, server, user.ID, 7)
			if balance := balanceOf(t, server, user.ID); balance != 12 {
				t.Errorf("the balance is %d, want 12", balance)
			}
			auditBooks(t, server.Dir)
		})
	}
}

// The first start makes the schema, the secret and the superuser; whatever moment
// it dies at, the next start must finish the work by itself.
func TestACrashDuringTheFirstStartIsHealedByTheNext(t *testing.T) {
	for _, lifetime := range []time.Duration{30, 80, 150, 250, 400} {
		lifetime *= time.Millisecond
		t.Run(lifetime.String(), func(t *testing.T) {
			options := testserver.Options{Dir: t.TempDir(), Env: []string{"SOKUJI_SECRET="}}
			ctx, cancel := context.WithTimeout(t.Context(), lifetime)
			defer cancel()
			if _, exitCode, err := testserver.Run(ctx, options, "serve", "--http", "127.0.0.1:0"); err == nil {
				t.Fatalf("the first start ended by itself with exit code %d", exitCode)
			}
			server := testserver.Start(t, options)
			mint(t, server, newUser(t, server).ID, 1)
			auditBooks(t, server.Dir)
			leftovers, err := filepath.Glob(filepath.Join(server.Dir, ".sokuji_secret-*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range leftovers {
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%s was left behind and is not its owner's alone: %v, %v", path, info, err)
				}
			}
		})
	}
}

func TestSuperuserUpsertBesideALiveServerHoldsAtOnce(t *testing.T) {
	const newPassword = "another password of root"
	server := testserver.Start(t, testserver.Options{})
	ctx := bounded(t)
	user := newUser(t, server)
	oldToken := superuserToken(t, server)
	for range 5 { // so that the old token is in every cache that there may be
		mint(t, server, user.ID, 1)
	}

	output, exitCode, err := testserver.Run(ctx, testserver.Options{Dir: server.Dir},
		"superuser", "upsert", testserver.SuperuserEmail, newPassword)
	if err != nil || exitCode != 0 {
		t.Fatalf("superuser upsert ended with exit code %d, %v\n%s", exitCode, err, output)
	}

	_, err = server.Mint(ctx, testserver.Op{UserID: user.ID, Amount: 1, Token: oldToken})
	if status := statusOf(err); status != http.StatusUnauthorized {
		t.Errorf("the old token mints with %d, want 401", status)
	}
	answer, err := server.Call(ctx, testserver.Request{Path: "/api/collections/_superusers/records", Token: oldToken})
	if err != nil || answer.Status == http.StatusOK {
		t.Errorf("the old token lists superusers with %d, %v", answer.Status, err)
	}
	if _, err = server.SignInSuperuser(ctx, testserver.SuperuserEmail, testserver.SuperuserPassword); statusOf(err) != http.StatusBadRequest {
		t.Errorf("the old password signs in: %v", err)
	}
	newToken, err := server.SignInSuperuser(ctx, testserver.SuperuserEmail, newPassword)
	if err != nil {
		t.Fatalf("the new password does not sign in: %v", err)
	}
	if _, err := server.Mint(ctx, testserver.Op{UserID: user.ID, Amount: 1, Token: newToken}); err != nil {
		t.Errorf("the new token does not mint: %v", err)
	}
}
