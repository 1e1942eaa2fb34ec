package e2e

import (
	"net/http"
	"testing"
	"time"

	"sokuji/e2e/testserver"
)

// restoreTimeout is what a restore may take: a drain, a copy, a start.
const restoreTimeout = 20 * time.Second

// A restored backup replaces the process, which then serves the books of the
// backup, still holds the lock, and ends cleanly.
func TestARestoredBackupServesItsBooks(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	root := superuserToken(t, server)
	user := newUser(t, server)
	mint(t, server, user.ID, 5)
	call := func(method, path string, body any, want int) {
		t.Helper()
		answer, err := server.Call(bounded(t), testserver.Request{Method: method, Path: path, Token: root, Body: body})
		if err != nil || answer.Status != want {
			t.Fatalf("%s %s answered %d, %v; want %d: %s", method, path, answer.Status, err, want, answer.Body)
		}
	}
	call(http.MethodPost, "/api/backups", map[string]string{"name": "books.zip"}, http.StatusNoContent)
	mint(t, server, user.ID, 7)
	call(http.MethodPost, "/api/backups/books.zip/restore", nil, http.StatusNoContent)

	balance := int64(-1)
	for deadline := time.Now().Add(restoreTimeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if answer, err := server.Balance(bounded(t), user.ID); err == nil && answer.Balance == 5 {
			balance = answer.Balance
			break
		}
	}
	if balance != 5 {
		t.Fatalf("the books of the backup are not served; the server says: %s", server.Output())
	}
	mint(t, server, user.ID, 1)
	if exitCode, err := server.Stop(); err != nil || exitCode != 0 {
		t.Fatalf("the server ended with exit code %d, %v", exitCode, err)
	}
}
