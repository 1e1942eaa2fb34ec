package statement

import (
	"errors"
	"fmt"
	"time"

	"sokuji/internal/ledger"
)

// Title begins every statement, and names the version of its form.
const Title = "sokuji statement v1"

// Format is a form of the document.
type Format string

const (
	JSON Format = "json"
	CSV  Format = "csv"
)

// ParseFormat reads the name of a format.
func ParseFormat(name string) (Format, error) {
	switch format := Format(name); format {
	case JSON, CSV:
		return format, nil
	}
	return "", fmt.Errorf("there is no format %q: choose json or csv", name)
}

// Point is where a chain stands after some of its entries; the zero value stands
// before the first.
type Point struct {
	Balance int64 // tokens
	Seq     int64 // number of entries so far
	Hash    ledger.Hash
}

// Header says what a statement is about.
type Header struct {
	Subject  ledger.Subject
	From, To time.Time // From is included, To is not; zero: no limit
	Opening  Point     // before the first entry of the period
}

// timeLayout is that of the HTTP API.
const timeLayout = "2006-01-02T15:04:05.000Z"

func showTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeLayout)
}

// readTime takes the only way to write an instant; empty is the zero time.
func readTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(timeLayout, text)
	if err != nil || at.Format(timeLayout) != text {
		return at, fmt.Errorf("%q is not a time in the form %q", text, timeLayout)
	}
	return at, nil
}

// follower walks along a chain.
type follower struct {
	subject ledger.Subject
	at      Point
}

// check looks at where the chain begins.
func (f *follower) check() error {
	if _, err := ledger.ParseSubject(string(f.subject.Type), f.subject.ID); err != nil {
		return fmt.Errorf("it belongs to nobody: %w", err)
	}
	isStart := f.at.Seq == 0
	if f.at.Seq < 0 || isStart != (f.at.Hash == ledger.Hash{}) || (isStart && f.at.Balance != 0) {
		return fmt.Errorf("the opening has seq %d, balance %d and hash %s: before the first entry all are 0, later none of seq and hash is",
			f.at.Seq, f.at.Balance, f.at.Hash)
	}
	return nil
}

// follow takes the next entry, or says why it cannot be the next.
func (f *follower) follow(e ledger.Entry) error {
	switch {
	case e.Subject != f.subject:
		return fmt.Errorf("it belongs to %s %q, not to %s %q", e.Subject.Type, e.Subject.ID, f.subject.Type, f.subject.ID)
	case e.Seq != f.at.Seq+1:
		return fmt.Errorf("it has seq %d where %d should follow", e.Seq, f.at.Seq+1)
	case e.ComputeHash() != e.Hash:
		return errors.New("its hash is not that of its fields: it was changed")
	case e.PrevHash != f.at.Hash:
		return errors.New("its prevHash is not the hash of the entry before it")
	case e.BalanceAfter != f.at.Balance+e.Amount:
		return fmt.Errorf("balanceAfter is %d, but %d and %d make %d", e.BalanceAfter, f.at.Balance, e.Amount, f.at.Balance+e.Amount)
	}
	f.at = Point{e.BalanceAfter, e.Seq, e.Hash}
	return nil
}
