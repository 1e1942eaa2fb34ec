package verify

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"

	"sokuji/internal/ledger"
)

// Bounds of a checkpoint.
const (
	maxCheckpointWallets   = 50_000_000
	maxCheckpointLineBytes = 256
	// allocatedWallets is how many wallets are made room for on a file's word alone.
	allocatedWallets = 1 << 16
)

// ParseCheckpoint reads what WriteCheckpoint wrote. Errors name the line.
func ParseCheckpoint(r io.Reader) (*Checkpoint, error) {
	p := &checkpointParser{reader: bufio.NewReaderSize(r, maxCheckpointLineBytes), digest: sha256.New()}
	checkpoint, err := p.parse()
	if err != nil {
		return nil, fmt.Errorf("checkpoint, line %d: %w", p.line, err)
	}
	return checkpoint, nil
}

type checkpointParser struct {
	reader *bufio.Reader
	digest hash.Hash // of the lines that were taken
	line   int
}

func (p *checkpointParser) parse() (*Checkpoint, error) {
	title, err := p.take()
	if err != nil {
		return nil, err
	}
	if title != checkpointTitle {
		return nil, fmt.Errorf("it begins with %q, not with %q", title, checkpointTitle)
	}
	checkpoint := &Checkpoint{}
	if checkpoint.At, err = p.takeTime(); err != nil {
		return nil, err
	}
	count, err := p.takeCount()
	if err != nil {
		return nil, err
	}
	checkpoint.wallets = make([]mark, 0, min(count, allocatedWallets))
	for range count {
		next, err := p.takeMark()
		if err != nil {
			return nil, err
		}
		if last := len(checkpoint.wallets) - 1; last >= 0 && compareSubjects(checkpoint.wallets[last].subject, next.subject) >= 0 {
			return nil, errors.New("the wallets are not in order")
		}
		checkpoint.wallets = append(checkpoint.wallets, next)
	}
	return checkpoint, p.takeEnd()
}

// take reads a line without its end.
func (p *checkpointParser) take() (string, error) {
	p.line++
	line, err := p.reader.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("it is longer than %d bytes", maxCheckpointLineBytes)
	case errors.Is(err, io.EOF):
		return "", errors.New("the file ends before its last line: it is incomplete")
	case err != nil:
		return "", err
	}
	_, _ = p.digest.Write(line) // never fails
	return string(line[:len(line)-1]), nil
}

// takeValue reads a line that begins with a word.
func (p *checkpointParser) takeValue(word string) (string, error) {
	line, err := p.take()
	if err != nil {
		return "", err
	}
	value, found := strings.CutPrefix(line, word+" ")
	if !found {
		return "", fmt.Errorf("it is %q, not one that begins with %q", line, word)
	}
	return value, nil
}

func (p *checkpointParser) takeTime() (time.Time, error) {
	text, err := p.takeValue("at")
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q is not a time such as 2026-11-24T08:00:00Z", text)
	}
	return at, nil
}

func (p *checkpointParser) takeCount() (int64, error) {
	text, err := p.takeValue("wallets")
	if err != nil {
		return 0, err
	}
	count, ok := wholeNumber(text)
	if !ok || count > maxCheckpointWallets {
		return 0, fmt.Errorf("%q is not a number of wallets, 0 to %d", text, maxCheckpointWallets)
	}
	return count, nil
}

func (p *checkpointParser) takeMark() (mark, error) {
	line, err := p.take()
	if err != nil {
		return mark{}, err
	}
	parts := strings.Split(line, " ")
	if len(parts) != 4 {
		return mark{}, fmt.Errorf("%q is not a wallet: type, id, seq and hash with a space between them", line)
	}
	m := mark{subject: ledger.Subject{Type: ledger.SubjectType(parts[0]), ID: parts[1]}}
	if m.subject.Type != ledger.SubjectUser && m.subject.Type != ledger.SubjectOrganization {
		return m, fmt.Errorf("%q is neither user nor organization", parts[0])
	}
	if !isWord(m.subject.ID) {
		return m, fmt.Errorf("%q is not the id of a wallet", parts[1])
	}
	var ok bool
	if m.seq, ok = wholeNumber(parts[2]); !ok {
		return m, fmt.Errorf("seq %q is not a whole number", parts[2])
	}
	return m.withHead(parts[3])
}

func (m mark) withHead(text string) (mark, error) {
	if m.seq == 0 {
		if text != noHead {
			return m, fmt.Errorf("a wallet without entries has the hash %q, not %q", noHead, text)
		}
		return m, nil
	}
	var err error
	if m.head, err = ledger.ParseHash(text); err != nil || m.head.String() != text {
		return m, fmt.Errorf("%q is not a hash of 64 lower-case hexadecimal digits", text)
	}
	return m, nil
}

func (p *checkpointParser) takeEnd() error {
	sum := hex.EncodeToString(p.digest.Sum(nil))
	text, err := p.takeValue("sha256")
	if err != nil {
		return err
	}
	if text != sum {
		return errors.New("the SHA-256 is not that of the lines above: the file was changed or damaged")
	}
	if _, err := p.reader.ReadByte(); !errors.Is(err, io.EOF) {
		p.line++
		return errors.New("the file goes on after its last line")
	}
	return nil
}

// wholeNumber reads digits, in the only way to write a number of 0 or more.
func wholeNumber(text string) (int64, bool) {
	number, err := strconv.ParseInt(text, 10, 64)
	return number, err == nil && number >= 0 && strconv.FormatInt(number, 10) == text
}
