package e2e

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sokuji/e2e/testserver"
)

// entryRow is a row of wallet_ledger as it lies on the disk.
type entryRow struct {
	id, subjectType, subjectID         string
	seq, amount, balanceAfter          int64
	eventType                          string
	referenceType, referenceID, planID string
	externalEventID, idempotencyKey    string
	requestHash, description           string
	metadata                           string // empty for NULL
	createdAt                          string // 2006-01-02 15:04:05.000Z
	prevHash, hash                     string // hex; prevHash is empty where a chain begins
}

const (
	chainDomain  = "sokuji ledger entry v1"
	storedLayout = "2006-01-02 15:04:05.000Z07:00"
)

// recomputeHash follows the documented rule: SHA-256 over the domain, the hash
// before and every column, in this order; texts and hashes with their length in
// front, lengths and numbers as 8 bytes, the most significant first.
func (r entryRow) recomputeHash() (string, error) {
	created, err := time.Parse(storedLayout, r.createdAt)
	if err != nil {
		return "", err
	}
	previous := make([]byte, sha256.Size)
	if r.prevHash != "" {
		if previous, err = hex.DecodeString(r.prevHash); err != nil {
			return "", err
		}
	}
	sum := sha256.New()
	for _, field := range []any{
		chainDomain, string(previous), r.id, r.subjectType, r.subjectID, r.seq, r.amount, r.balanceAfter, r.eventType,
		r.referenceType, r.referenceID, r.planID, r.externalEventID, r.idempotencyKey, r.requestHash, r.description,
		r.metadata, created.UnixMilli(),
	} {
		text, isText := field.(string)
		if isText {
			field = int64(len(text))
		}
		// Writing to a hash never fails; a field of another type would.
		if err := binary.Write(sum, binary.BigEndian, field); err != nil {
			return "", err
		}
		sum.Write([]byte(text))
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// checkChain checks one wallet's rows, oldest first, against themselves: seq
// without gaps, links, hashes, and balances that are the running sum. It returns
// the last balance and hash.
func checkChain(rows []entryRow) (balance int64, head string, err error) {
	var errs []error
	for i, row := range rows {
		balance += row.amount
		if row.seq != int64(i)+1 {
			errs = append(errs, fmt.Errorf("entry %s has seq %d, want %d", row.id, row.seq, i+1))
		}
		if row.prevHash != head {
			errs = append(errs, fmt.Errorf("entry %s (seq %d) links to %q, want %q", row.id, row.seq, row.prevHash, head))
		}
		if row.balanceAfter != balance {
			errs = append(errs, fmt.Errorf("entry %s (seq %d) has balance_after %d, want %d", row.id, row.seq, row.balanceAfter, balance))
		}
		want, hashErr := row.recomputeHash()
		if hashErr != nil || row.hash != want {
			errs = append(errs, fmt.Errorf("entry %s (seq %d) has hash %s, want %s (%v)", row.id, row.seq, row.hash, want, hashErr))
		}
		head = row.hash
	}
	return balance, head, errors.Join(errs...)
}

// checkShownChain checks what can be checked of a ledger as clients see it:
// everything but the hashes' content, which rests on columns that are not shown.
func checkShownChain(t *testing.T, entries []testserver.Entry) {
	t.Helper()
	head, balance := strings.Repeat("0", 2*sha256.Size), int64(0)
	for i, entry := range entries {
		balance += entry.AmountTokens
		if entry.Seq != int64(i)+1 || entry.PrevHash != head || entry.BalanceAfter != balance {
			t.Fatalf("entry %d of the chain is seq %d, prevHash %s, balanceAfter %d; want seq %d, prevHash %s, balanceAfter %d",
				i+1, entry.Seq, entry.PrevHash, entry.BalanceAfter, i+1, head, balance)
		}
		head = entry.Hash
	}
}

// A vector computed by hand from the rule keeps recomputeHash honest: bytes are
// written out here one by one.
func TestRecomputeHashFollowsTheDocumentedLayout(t *testing.T) {
	var layout strings.Builder
	number := func(n uint64) {
		for shift := 56; shift >= 0; shift -= 8 {
			layout.WriteByte(byte(n >> shift))
		}
	}
	text := func(s string) {
		number(uint64(len(s)))
		layout.WriteString(s)
	}
	text(chainDomain)
	text(strings.Repeat("\x00", 32))
	for _, column := range []string{"entry1", "user", "aoi"} {
		text(column)
	}
	number(1)
	number(^uint64(0) - 4) // -5 in two's complement
	number(^uint64(0) - 4)
	for _, column := range []string{"use", "", "", "", "", "key", "ab", "なぜ", `{"a":1}`} {
		text(column)
	}
	number(1_000)
	sum := sha256.Sum256([]byte(layout.String()))

	row := entryRow{
		id: "entry1", subjectType: "user", subjectID: "aoi", seq: 1, amount: -5, balanceAfter: -5, eventType: "use",
		idempotencyKey: "key", requestHash: "ab", description: "なぜ", metadata: `{"a":1}`,
		createdAt: "1970-01-01 00:00:01.000Z",
	}
	got, err := row.recomputeHash()
	if want := hex.EncodeToString(sum[:]); err != nil || got != want {
		t.Fatalf("recomputeHash = %s, %v; want %s", got, err, want)
	}
}
