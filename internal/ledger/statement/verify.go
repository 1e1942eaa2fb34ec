package statement

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"sokuji/internal/ledger"
)

// maxEntryBytes bounds an entry as it is written, whose texts the ledger bounds to
// a fraction of it.
const maxEntryBytes = 256 * 1024

// Report is what a statement says, as far as it was read.
type Report struct {
	Header
	Closing Point
	Entries int64
	Bad     *Bad // what is wrong with it, nil when it holds
}

// Bad is the first thing that does not hold.
type Bad struct {
	EntryID string // empty when it is the opening or the closing
	Problem string // a sentence without a full stop
}

func (b *Bad) String() string {
	if b.EntryID == "" {
		return b.Problem
	}
	return "entry " + b.EntryID + ": " + b.Problem
}

// decoder reads one form of the document. entry returns io.EOF behind the last.
type decoder interface {
	open() (Header, error)
	entry() (ledger.Entry, error)
	close(*Header) (Point, error)
}

// Verify reads a statement of either form and follows its chain from the opening
// to the closing. The error means that it is no statement, or not a whole one.
func Verify(r io.Reader) (Report, error) {
	buffered := bufio.NewReader(r)
	in, err := sniff(buffered)
	if err != nil {
		return Report{}, err
	}
	var report Report
	if report.Header, err = in.open(); err != nil {
		return report, fmt.Errorf("the beginning of the statement: %w", complete(err))
	}
	chain := &follower{subject: report.Subject, at: report.Opening}
	if err := chain.check(); err != nil {
		report.Bad = &Bad{Problem: err.Error()}
		return report, nil
	}
	for {
		entry, err := in.entry()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return report, fmt.Errorf("entry %d of the statement: %w", report.Entries+1, complete(err))
		}
		if err := chain.followAny(entry); err != nil {
			report.Bad = &Bad{EntryID: entry.ID, Problem: err.Error()}
			return report, nil
		}
		report.Entries++
	}
	if report.Closing, err = in.close(&report.Header); err != nil {
		return report, fmt.Errorf("the end of the statement: %w", complete(err))
	}
	if report.Closing != chain.at {
		report.Bad = &Bad{Problem: fmt.Sprintf("it closes with %d tokens at seq %d, but its entries lead to %d at seq %d, or to another hash",
			report.Closing.Balance, report.Closing.Seq, chain.at.Balance, chain.at.Seq)}
	}
	return report, nil
}

// followAny knows that null is how both an absent value and JSON's null look.
func (f *follower) followAny(e ledger.Entry) error {
	if string(e.Metadata) == "null" {
		absent := e
		absent.Metadata = nil
		if absent.ComputeHash() == e.Hash {
			e = absent
		}
	}
	return f.follow(e)
}

// sniff tells the forms apart by their first character.
func sniff(r *bufio.Reader) (decoder, error) {
	const byteOrderMark = "\xef\xbb\xbf"
	if start, _ := r.Peek(len(byteOrderMark)); bytes.Equal(start, []byte(byteOrderMark)) {
		_, _ = r.Discard(len(byteOrderMark)) // it is in the buffer
	}
	start, err := r.Peek(1)
	if err != nil {
		return nil, errors.New("the statement is empty")
	}
	if start[0] == '{' {
		return newJSONDecoder(r), nil
	}
	return &csvDecoder{records: &recordReader{r: r}}, nil
}

// errIncomplete is what a statement ends in that was cut off.
var errIncomplete = errors.New("it ends early: the statement is incomplete")

func complete(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errIncomplete
	}
	return err
}
