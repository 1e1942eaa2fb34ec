// Package e2e tests the compiled server from outside: real processes, real HTTP,
// real crashes, and books that are checked by a second implementation of the
// documented rules. It must never import a package of the server.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"sokuji/e2e/testserver"
)

// testTimeout bounds what one test does; nothing here comes near it.
const testTimeout = 2 * time.Minute

func TestMain(m *testing.M) {
	code := m.Run()
	if err := testserver.RemoveBinary(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

func newUser(t *testing.T, server *testserver.Server) testserver.User {
	t.Helper()
	user, err := server.NewUser(bounded(t))
	if err != nil {
		t.Fatalf("sign up: %v", err)
	}
	return user
}

func mint(t *testing.T, server *testserver.Server, userID string, amount int64) testserver.Receipt {
	t.Helper()
	receipt, err := server.Mint(bounded(t), testserver.Op{UserID: userID, Amount: amount})
	if err != nil {
		t.Fatalf("mint %d: %v", amount, err)
	}
	return receipt
}

func ledgerOf(t *testing.T, server *testserver.Server, userID string) []testserver.Entry {
	t.Helper()
	entries, err := server.Ledger(bounded(t), userID)
	if err != nil {
		t.Fatalf("read the ledger: %v", err)
	}
	return entries
}

func balanceOf(t *testing.T, server *testserver.Server, userID string) int64 {
	t.Helper()
	balance, err := server.Balance(bounded(t), userID)
	if err != nil {
		t.Fatalf("read the balance: %v", err)
	}
	return balance.Balance
}

func superuserToken(t *testing.T, server *testserver.Server) string {
	t.Helper()
	token, err := server.Superuser(bounded(t))
	if err != nil {
		t.Fatalf("sign the superuser in: %v", err)
	}
	return token
}

// atOnce runs count calls on so many workers, which begin together, and returns
// what each call returned.
func atOnce[T any](workers, count int, call func(i int) T) []T {
	results := make([]T, count)
	gate := make(chan struct{})
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			<-gate
			for i := worker; i < count; i += workers {
				results[i] = call(i)
			}
		})
	}
	close(gate)
	group.Wait()
	return results
}

// statusOf is the status of an answer's error, 200 for none, 0 when there was no
// answer at all.
func statusOf(err error) int {
	if err == nil {
		return 200
	}
	if refused, ok := errors.AsType[*testserver.StatusError](err); ok {
		return refused.Status
	}
	return 0
}

// outcome is what a concurrent operation came to.
type outcome struct {
	receipt testserver.Receipt
	err     error
}
