package verify

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"strings"
	"time"

	"sokuji/internal/ledger"
)

// A checkpoint is a text file:
//
//	sokuji ledger checkpoint v1
//	at 2026-11-24T08:00:00Z
//	wallets 2
//	organization acme 0 -
//	user alice0000000001 17 <64 hexadecimal digits>
//	sha256 <of everything above>
const (
	checkpointTitle = "sokuji ledger checkpoint v1"
	noHead          = "-"
)

// Wallets in the order of the lines, each with the newest entry that it claims.
const walletHeads = `SELECT w.subject_type, w.subject_id, w.seq, w.head_hash, e.hash
FROM wallets w LEFT JOIN wallet_ledger e ON e.subject_id = w.subject_id AND e.subject_type = w.subject_type AND e.seq = w.seq
ORDER BY w.subject_type, w.subject_id`

// WriteCheckpoint writes down where each chain ends. It refuses wallets that do
// not agree with their newest entry; what it has written then is incomplete, and
// not a checkpoint.
func WriteCheckpoint(ctx context.Context, db *sql.DB, at time.Time, w io.Writer) error {
	digest := sha256.New()
	buffered := bufio.NewWriter(w)
	err := view(ctx, db, func(s snapshot) error {
		if _, err := s.tables(); err != nil {
			return err
		}
		return s.writeHeads(at, io.MultiWriter(buffered, digest))
	})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(buffered, "sha256 %x\n", digest.Sum(nil)); err != nil {
		return err
	}
	return buffered.Flush()
}

func (s snapshot) writeHeads(at time.Time, w io.Writer) error {
	count, err := s.number(`SELECT COUNT(*) FROM wallets`)
	if err != nil {
		return err
	}
	if count > maxCheckpointWallets {
		return fmt.Errorf("there are %d wallets, more than the %d that a checkpoint can hold", count, maxCheckpointWallets)
	}
	_, err = fmt.Fprintf(w, "%s\nat %s\nwallets %d\n", checkpointTitle, at.UTC().Format(time.RFC3339), count)
	if err != nil {
		return err
	}
	return s.each(func(c *cells) error {
		line, err := headLine(c)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, line)
		return err
	}, walletHeads)
}

func headLine(c *cells) (string, error) {
	subject, seq, head := c.subject(), c.integer(), c.hash(true)
	newest := c.maybeText()
	if c.problem != "" {
		return "", fmt.Errorf("wallet %q: %s: run the verification", subject.ID, c.problem)
	}
	if seq < 0 || (seq == 0) != (head == ledger.Hash{}) || (seq > 0 && newest != head.String()) {
		return "", fmt.Errorf("wallet %q: seq %d and head_hash are not those of its newest entry: run the verification", subject.ID, seq)
	}
	if !isWord(subject.ID) {
		return "", fmt.Errorf("wallet %q: its id does not fit into a line of %d bytes", subject.ID, maxCheckpointLineBytes)
	}
	text := noHead
	if seq > 0 {
		text = head.String()
	}
	return fmt.Sprintf("%s %s %d %s\n", subject.Type, subject.ID, seq, text), nil
}

// maxWordBytes bounds an id; the schema allows 64.
const maxWordBytes = 128

// isWord tells whether an id can stand in a line between spaces.
func isWord(id string) bool {
	return id != "" && len(id) <= maxWordBytes && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' })
}
