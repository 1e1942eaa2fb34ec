package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"sokuji/e2e/testserver"
)

// exportFrom runs "sokuji export" on the data folder of a server that may be running.
func exportFrom(t *testing.T, dir, format, out string) string {
	t.Helper()
	output, exitCode, err := testserver.Run(bounded(t), testserver.Options{Dir: dir}, "export", "--format", format, "--out", out)
	if err != nil || exitCode != 0 {
		t.Fatalf("export ended with %d, %v: %s", exitCode, err, output)
	}
	return output
}

// What leaves one server comes home to another: the same passwords, balances and
// entries, beside a server that goes on charging.
func TestAnExportComesHome(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	users := []testserver.User{newUser(t, server), newUser(t, server), newUser(t, server)}
	for i, user := range users[:2] {
		mint(t, server, user.ID, 1_000_000)
		for range 20 + i {
			if _, err := server.Use(bounded(t), testserver.Op{UserID: user.ID, Amount: 3}); err != nil {
				t.Fatal(err)
			}
		}
	}
	adjust(t, server, users[0])
	out := filepath.Join(t.TempDir(), "export.sql")
	whileCharging(t, server, users[2], func() { exportFrom(t, server.Dir, "sql", out) })
	want := make(map[string]int64)
	for _, user := range users[:2] {
		want[user.ID] = balanceOf(t, server, user.ID)
	}
	if _, err := server.Stop(); err != nil {
		t.Fatal(err)
	}

	home := t.TempDir()
	output, exitCode, err := testserver.Run(bounded(t), testserver.Options{Dir: home}, "import", "d1", out)
	if err != nil || exitCode != 0 {
		t.Fatalf("import ended with %d, %v: %s", exitCode, err, output)
	}
	second := testserver.Start(t, testserver.Options{Dir: home})
	for _, user := range users {
		answer, err := second.Call(bounded(t), testserver.Request{
			Path: "/api/auth/sign-in/email", Body: map[string]string{"email": user.Email, "password": user.Password},
		})
		if err != nil || answer.Status != http.StatusOK {
			t.Errorf("%s cannot sign in: %d %s (%v)", user.Email, answer.Status, answer.Body, err)
		}
	}
	for _, user := range users[:2] {
		if got := balanceOf(t, second, user.ID); got != want[user.ID] {
			t.Errorf("the balance is %d, was %d", got, want[user.ID])
		}
	}
	if entries := ledgerOf(t, second, users[0].ID); len(entries) != 22 || entries[0].Description+entries[21].Description != strangeText {
		t.Errorf("the entries are %+v", entries)
	}
	if entries := ledgerOf(t, second, users[1].ID); len(entries) != 22 {
		t.Errorf("there are %d entries, want 22", len(entries))
	}
	if output, exitCode, err := testserver.Run(bounded(t), testserver.Options{Dir: home}, "ledger", "verify"); err != nil || exitCode != 0 {
		t.Errorf("verify ended with %d, %v: %s", exitCode, err, output)
	}
}

// whileCharging does something while a user is charged without a pause.
func whileCharging(t *testing.T, server *testserver.Server, user testserver.User, do func()) {
	t.Helper()
	mint(t, server, user.ID, 1_000_000)
	stop := make(chan struct{})
	var charging sync.WaitGroup
	charging.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := server.Use(t.Context(), testserver.Op{UserID: user.ID, Amount: 1}); err != nil {
				t.Errorf("charge: %v", err)
				return
			}
		}
	})
	do()
	close(stop)
	charging.Wait()
}

// One moment: the wallet's balance is the sum of the entries beside it.
func TestAnExportBesideAServerIsOneMoment(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	user := newUser(t, server)
	folder := filepath.Join(t.TempDir(), "export")
	whileCharging(t, server, user, func() { exportFrom(t, server.Dir, "jsonl", folder) })
	balance, sum := int64(0), int64(0)
	eachLine(t, filepath.Join(folder, "wallets.jsonl"), func(row exported) {
		if row.SubjectID == user.ID {
			balance = row.Balance
		}
	})
	eachLine(t, filepath.Join(folder, "wallet_ledger.jsonl"), func(row exported) {
		if row.SubjectID == user.ID {
			sum += row.Amount
		}
	})
	if balance != sum || balance == 0 {
		t.Errorf("the balance is %d, the entries make %d", balance, sum)
	}
}

type exported struct {
	SubjectID string `json:"subject_id"`
	Balance   int64  `json:"balance_tokens"`
	Amount    int64  `json:"amount_tokens"`
}

func eachLine(t *testing.T, path string, row func(exported)) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var r exported
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		row(r)
	}
}

// strangeText is one that a dump can stumble over.
const strangeText = "it's\r\n\\n \"odd\" ; --"

// adjust makes an entry that says it.
func adjust(t *testing.T, server *testserver.Server, user testserver.User) {
	t.Helper()
	answer, err := server.Call(bounded(t), testserver.Request{
		Path: "/api/wallet/adjust", Token: superuserToken(t, server),
		Body: map[string]any{"userId": user.ID, "amount": 7, "description": strangeText},
	})
	if err != nil || answer.Status != http.StatusOK {
		t.Fatalf("adjust answered %d %s (%v)", answer.Status, answer.Body, err)
	}
}

// SQLite's own shell reads it, where there is one.
func TestSQLitesShellReadsAnExport(t *testing.T) {
	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("there is no sqlite3 here")
	}
	server := testserver.Start(t, testserver.Options{})
	user := newUser(t, server)
	adjust(t, server, user)
	out := filepath.Join(t.TempDir(), "export.sql")
	exportFrom(t, server.Dir, "sql", out)
	database := filepath.Join(t.TempDir(), "read.db")
	text, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	load := exec.CommandContext(bounded(t), shell, "-bail", database)
	load.Stdin = text
	if output, err := load.CombinedOutput(); err != nil || len(output) > 0 {
		t.Fatalf("%v: %s", err, output)
	}
	read, err := exec.CommandContext(bounded(t), shell, database, "SELECT hex(description) FROM wallet_ledger; SELECT count(*) FROM user; PRAGMA integrity_check").Output()
	want := fmt.Sprintf("%X\n1\nok\n", strangeText)
	if err != nil || string(read) != want {
		t.Errorf("got %q, want %q (%v)", read, want, err)
	}
}
