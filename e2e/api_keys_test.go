package e2e

import (
	"database/sql"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"sokuji/e2e/testserver"
)

// newKey makes a named key of a user's that charges within a limit.
func newKey(t *testing.T, server *testserver.Server, user testserver.User, limit int64) string {
	t.Helper()
	answer, err := server.Call(bounded(t), testserver.Request{
		Path: "/api/user/api-keys", Token: user.Token,
		Body: map[string]any{"name": "e2e", "scopes": []string{"wallet:charge"}, "spendLimitTokens": limit},
	})
	if err != nil || answer.Status != http.StatusCreated {
		t.Fatalf("making a key answered %d %s, %v", answer.Status, answer.Body, err)
	}
	var made struct{ APIKey string }
	if err := answer.Decode(&made); err != nil {
		t.Fatal(err)
	}
	return made.APIKey
}

// useByKey charges the key's owner.
func useByKey(t *testing.T, server *testserver.Server, key string, amount int64) error {
	t.Helper()
	_, err := server.CallJSON(bounded(t), testserver.Request{Path: "/api/wallet/use", Token: key, Body: map[string]any{"amount": amount}}, nil)
	return err
}

// What a key spent is as durable as the uses themselves, and its limit holds on
// both sides of a kill.
func TestAKeysLimitOutlivesAKill(t *testing.T) {
	const limit, each, enough = 300, 7, 20
	server := testserver.Start(t, testserver.Options{})
	user := newUser(t, server)
	mint(t, server, user.ID, 10_000)
	key := newKey(t, server, user, limit)
	if err := useByKey(t, server, key, limit+1); statusOf(err) != http.StatusForbidden {
		t.Fatalf("a use beyond the limit answered %v", err)
	}

	var answered atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for useByKey(t, server, key, each) == nil {
				if answered.Add(1) == enough {
					server.Kill()
				}
			}
		})
	}
	group.Wait()
	server = testserver.StartAgain(t, server)

	wantSpending(t, server, answered.Load()*each, limit)
	for useByKey(t, server, key, each) == nil {
	}
	wantSpending(t, server, limit/each*each, limit)
	if _, err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	auditBooks(t, server.Dir)
}

// wantSpending compares a key's sum with its usage rows, and with what it must and
// may be.
func wantSpending(t *testing.T, server *testserver.Server, least, most int64) {
	t.Helper()
	var kept, used sql.NullInt64
	err := openDatabase(t, server.Dir).QueryRowContext(bounded(t),
		`SELECT (SELECT tokens FROM api_key_spending), (SELECT SUM(charged_tokens) FROM usage_logs WHERE api_key != '')`).Scan(&kept, &used)
	if err != nil || kept != used || kept.Int64 < least || kept.Int64 > most {
		t.Errorf("the key has spent %d, its uses %d (%v); want %d to %d", kept.Int64, used.Int64, err, least, most)
	}
}
