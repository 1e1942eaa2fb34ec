package verify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"sokuji/internal/ledger/verify"
)

var checkpointTime = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

func (b *books) checkpointText() string {
	b.t.Helper()
	var out bytes.Buffer
	if err := verify.WriteCheckpoint(context.Background(), b.db, checkpointTime, &out); err != nil {
		b.t.Fatal(err)
	}
	return out.String()
}

func parsed(t testing.TB, text string) *verify.Checkpoint {
	t.Helper()
	checkpoint, err := verify.ParseCheckpoint(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return checkpoint
}

// signed ends a text as a checkpoint does.
func signed(text string) string {
	return fmt.Sprintf("%ssha256 %x\n", text, sha256.Sum256([]byte(text)))
}

func TestACheckpointSaysWhereChainsEnd(t *testing.T) {
	b := open(t)
	text := b.checkpointText()
	line := func(subject, id string) string {
		return fmt.Sprintf("%s %s %s %s\n", subject, id, b.pick(`SELECT seq FROM wallets WHERE id = ?`, id), b.pick(`SELECT head_hash FROM wallets WHERE id = ?`, id))
	}
	want := signed("sokuji ledger checkpoint v1\nat 2026-12-01T00:00:00Z\nwallets 6\n" +
		line("organization", "acme") + line("user", alice.ID) + line("user", bob.ID) + line("user", debtor.ID) + line("user", freed.ID) + "user " + idle.ID + " 0 -\n")
	if text != want {
		t.Fatalf("got\n%s\nwant\n%s", text, want)
	}
	checkpoint := parsed(t, text)
	if !checkpoint.At.Equal(checkpointTime) || checkpoint.Wallets() != 6 {
		t.Errorf("read back: %v, %d wallets", checkpoint.At, checkpoint.Wallets())
	}
	for range 2 { // a checkpoint may be used more than once
		if report := openCopy(t, template).verify(verify.Options{Checkpoint: checkpoint}); !report.Sound() {
			t.Error(show(report))
		}
	}
}

func TestACheckpointOfEmptyBooks(t *testing.T) {
	b := openCopy(t, emptyTemplate)
	checkpoint := parsed(t, b.checkpointText())
	if report := b.verify(verify.Options{Checkpoint: checkpoint}); !report.Sound() || checkpoint.Wallets() != 0 {
		t.Error(show(report))
	}
}

// Later entries do not matter, what was there before does. Each change leaves books
// that are sound by themselves.
func TestWhatOnlyACheckpointShows(t *testing.T) {
	for name, test := range map[string]struct {
		change    func(*testing.T, *watched)
		table, id string // empty: nothing is found
	}{
		"nothing":      {func(*testing.T, *watched) {}, "", ""},
		"more entries": {func(_ *testing.T, w *watched) { w.builder.use(alice, 1, ""); w.builder.mint(idle, 5, "", "", 0) }, "", ""},
		"a wallet's end is cut off": {func(_ *testing.T, w *watched) {
			id := w.pick(`SELECT id FROM wallet_ledger WHERE subject_id = 'idle00000000001' AND seq = 2`)
			w.exec(`DELETE FROM wallet_ledger WHERE id = ?`, id)
			w.exec(`DELETE FROM audit_log WHERE id = ?`, id)
			w.exec(`UPDATE wallets SET (balance_tokens, seq, head_hash) = (SELECT balance_after, seq, hash FROM wallet_ledger
				WHERE subject_id = 'idle00000000001' AND seq = 1) WHERE id = 'idle00000000001'`)
		}, "wallets", idle.ID},
		"a chain is written anew": {func(_ *testing.T, w *watched) {
			w.exec(`DELETE FROM wallet_ledger WHERE subject_id = 'idle00000000001'`)
			w.exec(`DELETE FROM audit_log WHERE subject_id = 'idle00000000001'`)
			w.exec(`UPDATE wallets SET balance_tokens = 0, seq = 0, head_hash = '' WHERE id = 'idle00000000001'`)
			if err := w.builder.close(); err != nil { // the writer's memory of the wallet
				w.t.Fatal(err)
			}
			if err := w.builder.open(); err != nil {
				w.t.Fatal(err)
			}
			w.builder.clock.Advance(time.Hour) // ids begin with the time
			for range 3 {
				w.builder.mint(idle, 1_000_000, "", "", 0)
			}
		}, "wallet_ledger", ""},
		"a wallet is gone": {func(_ *testing.T, w *watched) {
			w.exec(`DELETE FROM wallet_ledger WHERE subject_id = 'idle00000000001'`)
			w.exec(`DELETE FROM audit_log WHERE subject_id = 'idle00000000001'`)
			w.exec(`DELETE FROM wallets WHERE id = 'idle00000000001'`)
		}, "wallets", idle.ID},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t)
			w.builder.mint(idle, 5, "", "", 0)
			w.builder.mint(idle, 6, "", "", 0)
			checkpoint := parsed(t, w.checkpointText())
			test.change(t, w)
			for _, with := range []*verify.Checkpoint{nil, checkpoint} {
				report, err := verify.File(context.Background(), w.db, verify.Options{Checkpoint: with})
				if err != nil {
					t.Fatal(err)
				}
				wantFinding := with != nil && test.table != ""
				if report.Sound() == wantFinding || (wantFinding && !names(report, test.table, test.id)) {
					t.Errorf("with a checkpoint: %v\n%s", with != nil, show(report))
				}
			}
		})
	}
}

func TestACheckpointIsOnlyMadeOfSoundWallets(t *testing.T) {
	for name, change := range map[string]string{
		"another head":      setWallet + `head_hash = (SELECT prev_hash FROM wallet_ledger WHERE hash = head_hash) WHERE id = 'alice0000000001'`,
		"another seq":       setWallet + `seq = seq - 1 WHERE id = 'alice0000000001'`,
		"a seq, no entries": setWallet + `seq = 1 WHERE id = 'idle00000000001'`,
		"a head, no seq":    setWallet + `head_hash = '` + zeros[:63] + `1' WHERE id = 'idle00000000001'`,
		"a newline":         setWallet + `subject_id = 'a' || char(10) || 'b' WHERE id = 'idle00000000001'`,
		"a space":           setWallet + `subject_id = 'a b' WHERE id = 'idle00000000001'`,
		"no id":             setWallet + `subject_id = '' WHERE id = 'idle00000000001'`,
		"a long id":         setWallet + `subject_id = printf('%0200d', 1) WHERE id = 'idle00000000001'`,
		"another type":      setWallet + `subject_type = 'robot' WHERE id = 'idle00000000001'`,
		"a missing table":   `DROP TABLE wallet_holds`,
	} {
		b := open(t)
		b.exec(change)
		var out bytes.Buffer
		if err := verify.WriteCheckpoint(context.Background(), b.db, checkpointTime, &out); err == nil {
			t.Errorf("%s: a checkpoint is written", name)
		}
		if _, err := verify.ParseCheckpoint(&out); err == nil {
			t.Errorf("%s: what was written passes for a checkpoint", name)
		}
	}
}

func TestADamagedCheckpointIsRefused(t *testing.T) {
	whole := open(t).checkpointText()
	const head = "sokuji ledger checkpoint v1\nat 2026-12-01T00:00:00Z\n"
	hash := strings.Repeat("a", 64)
	for name, test := range map[string]struct{ text, want string }{
		"nothing":            {"", "line 1"},
		"another title":      {signed("sokuji ledger checkpoint v2\n"), "line 1"},
		"no time":            {signed("sokuji ledger checkpoint v1\nat noon\n"), "line 2"},
		"no number":          {signed(head + "wallets x\n"), "line 3"},
		"a number below 0":   {signed(head + "wallets -1\n"), "line 3"},
		"a huge number":      {signed(head + "wallets 99999999999\n"), "line 3"},
		"fewer wallets":      {signed(head + "wallets 2\nuser a 1 " + hash + "\n"), "line 5"},
		"more wallets":       {signed(head + "wallets 0\nuser a 1 " + hash + "\n"), "line 4"},
		"not in order":       {signed(head + "wallets 2\nuser b 1 " + hash + "\nuser a 1 " + hash + "\n"), "order"},
		"twice":              {signed(head + "wallets 2\nuser a 1 " + hash + "\nuser a 2 " + hash + "\n"), "order"},
		"another type":       {signed(head + "wallets 1\nrobot a 1 " + hash + "\n"), "robot"},
		"no id":              {signed(head + "wallets 1\nuser  1 " + hash + "\n"), "id"},
		"a seq with a zero":  {signed(head + "wallets 1\nuser a 01 " + hash + "\n"), "seq"},
		"a seq below 0":      {signed(head + "wallets 1\nuser a -1 " + hash + "\n"), "seq"},
		"a hash in capitals": {signed(head + "wallets 1\nuser a 1 " + strings.ToUpper(hash) + "\n"), "hash"},
		"a hash without seq": {signed(head + "wallets 1\nuser a 0 " + hash + "\n"), "without entries"},
		"a seq without hash": {signed(head + "wallets 1\nuser a 1 -\n"), "hash"},
		"too many words":     {signed(head + "wallets 1\nuser a 1 " + hash + " x\n"), "line 4"},
		"a long line":        {signed(head + "wallets 1\nuser " + strings.Repeat("a", 1000) + " 1 " + hash + "\n"), "longer"},
		"changed":            {strings.Replace(whole, "alice", "alicf", 1), "SHA-256"},
		"cut off":            {whole[:len(whole)-1], "ends"},
		"goes on":            {whole + "x", "goes on"},
		"Windows line ends":  {strings.ReplaceAll(whole, "\n", "\r\n"), "line 1"},
	} {
		_, err := verify.ParseCheckpoint(strings.NewReader(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q in it", name, err, test.want)
		}
	}
}

// No byte of a checkpoint can change without notice.
func TestEveryByteOfACheckpointCounts(t *testing.T) {
	whole := []byte(open(t).checkpointText())
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 1
		if _, err := verify.ParseCheckpoint(bytes.NewReader(changed)); err == nil {
			t.Fatalf("byte %d, %q, does not count", i, whole[i])
		}
	}
}

// Whatever comes in, the parser ends, and takes nothing that is not signed.
func FuzzCheckpoint(f *testing.F) {
	const head = "sokuji ledger checkpoint v1\nat 2026-12-01T00:00:00Z\n"
	f.Add([]byte(signed(head + "wallets 0\n")))
	f.Add([]byte(head + "wallets 1\nuser a 1 " + strings.Repeat("a", 64) + "\n"))
	f.Add([]byte(head + "wallets 50000000\n"))
	f.Add([]byte("sokuji"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, input := range []string{string(text), signed(string(text))} {
			checkpoint, err := verify.ParseCheckpoint(strings.NewReader(input))
			if err != nil {
				continue
			}
			lines := strings.Count(input, "\n")
			if want := checkpoint.Wallets() + 4; lines != want {
				t.Errorf("%d wallets of %d lines", checkpoint.Wallets(), lines)
			}
		}
	})
}
