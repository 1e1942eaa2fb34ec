package statement

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"

	"sokuji/internal/ledger"
)

// encoder writes one form of the document.
type encoder interface {
	open(Header) error
	entry(*ledger.Entry) error
	close(Header, Point) error
}

// Write writes a statement and returns where it closes. The entries are read as
// they are written, oldest first, and must continue the opening without a gap: a
// chain that does not hold ends in an error, and in a document without an end,
// which Verify refuses.
func Write(w io.Writer, format Format, header Header, entries iter.Seq2[ledger.Entry, error]) (Point, error) {
	buffered := bufio.NewWriter(w)
	var out encoder = &jsonEncoder{w: buffered}
	if format == CSV {
		out = newCSVEncoder(buffered)
	}
	chain := &follower{subject: header.Subject, at: header.Opening}
	if err := chain.check(); err != nil {
		return chain.at, err
	}
	if err := out.open(header); err != nil {
		return chain.at, err
	}
	for entry, err := range entries {
		if err != nil {
			return chain.at, err
		}
		if err := writeEntry(out, chain, entry); err != nil {
			return chain.at, fmt.Errorf("entry %s: %w", entry.ID, err)
		}
	}
	if err := out.close(header, chain.at); err != nil {
		return chain.at, err
	}
	return chain.at, buffered.Flush()
}

func writeEntry(out encoder, chain *follower, entry ledger.Entry) error {
	if err := chain.follow(entry); err != nil {
		return err
	}
	for _, f := range fields {
		// Both forms are UTF-8, and must give the hashed bytes back.
		if !utf8.ValidString(f.show(&entry)) {
			return fmt.Errorf("%s is not valid UTF-8, which a statement is made of", f.name)
		}
	}
	return out.entry(&entry)
}
