package d1import

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// readBufferBytes is how much of the dump is read at a time.
const readBufferBytes = 256 << 10

// statement is one SQL statement without its semicolon. The text is only valid
// until the next one is read.
type statement struct {
	text []byte
	line int // where it begins, from 1
	// tooLong: it has more than MaxStatementBytes; the text is its beginning.
	tooLong bool
}

// errCutOff says that a dump ends where no statement does.
var errCutOff = errors.New("the file ends in the middle of a statement: the export was cut off")

// statementReader splits SQL text at its semicolons, but for those in texts, names,
// comments and the bodies of triggers.
type statementReader struct {
	in      *bufio.Reader
	buffer  []byte
	line    int
	isBegun bool // whether the beginning of the file was looked at
}

func newStatementReader(in io.Reader) *statementReader {
	return &statementReader{in: bufio.NewReaderSize(in, readBufferBytes), line: 1}
}

// next returns io.EOF behind the last statement, and errCutOff for one that does
// not end.
func (r *statementReader) next() (statement, error) {
	if err := r.begin(); err != nil {
		return statement{}, err
	}
	r.buffer = r.buffer[:0]
	s := statement{}
	for {
		c, err := r.in.ReadByte()
		if err != nil {
			return r.end(s, err)
		}
		switch {
		case c == '\n':
			r.line++
			s = r.keep(s, c)
		case c == ' ' || c == '\t' || c == '\r' || c == '\f':
			s = r.keep(s, c)
		case c == ';':
			if s = r.keep(s, c); s.line == 0 || r.isInTrigger() {
				continue
			}
			s.text = bytes.Trim(r.buffer[:len(r.buffer)-1], whiteSpace)
			if s.tooLong {
				s.text = r.buffer
			}
			return s, nil
		case c == '-' || c == '/':
			isComment, err := r.comment(c)
			if err != nil {
				return r.end(s, err)
			}
			if !isComment {
				s = r.keep(s, c)
			}
		default:
			s = r.keep(s, c)
			if closing := closingQuote(c); closing != 0 {
				if s, err = r.quoted(s, closing); err != nil {
					return r.end(s, err)
				}
			}
		}
	}
}

// whiteSpace is what SQLite takes for it, which is less than Unicode does.
const whiteSpace = " \n\t\r\f"

// begin steps over a byte order mark.
func (r *statementReader) begin() error {
	if r.isBegun {
		return nil
	}
	r.isBegun = true
	mark, err := r.in.Peek(3)
	if err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, err = r.in.Discard(len(mark))
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// keep adds a byte to the statement. White space and semicolons before it are no
// part of it.
func (r *statementReader) keep(s statement, c byte) statement {
	if s.line == 0 {
		if c == ';' || strings.IndexByte(whiteSpace, c) >= 0 {
			return s
		}
		s.line = r.line
	}
	if len(r.buffer) >= MaxStatementBytes {
		s.tooLong = true
		return s
	}
	r.buffer = append(r.buffer, c)
	return s
}

func closingQuote(c byte) byte {
	switch c {
	case '\'', '"', '`':
		return c
	case '[':
		return ']'
	}
	return 0
}

// quoted reads to the closing quote. A doubled one closes and opens again.
func (r *statementReader) quoted(s statement, closing byte) (statement, error) {
	for {
		chunk, err := r.in.ReadSlice(closing)
		r.line += bytes.Count(chunk, []byte("\n"))
		if room := MaxStatementBytes - len(r.buffer); len(chunk) > room {
			s.tooLong = true
			chunk = chunk[:max(0, room)]
		}
		r.buffer = append(r.buffer, chunk...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return s, err
		}
	}
}

// comment steps over a comment if one begins with c, which was read.
func (r *statementReader) comment(c byte) (bool, error) {
	following, err := r.in.Peek(1)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	switch {
	case len(following) == 0:
		return false, nil
	case c == '-' && following[0] == '-':
		return true, r.lineComment()
	case c == '/' && following[0] == '*':
		return true, r.blockComment()
	}
	return false, nil
}

func (r *statementReader) lineComment() error {
	for {
		c, err := r.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil // as SQLite has it
		}
		if err != nil {
			return err
		}
		if c == '\n' {
			r.line++
			return nil
		}
	}
}

func (r *statementReader) blockComment() error {
	if _, err := r.in.Discard(1); err != nil {
		return err
	}
	before := byte(0)
	for {
		c, err := r.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil // as SQLite has it
		}
		if err != nil {
			return err
		}
		if c == '\n' {
			r.line++
		}
		if before == '*' && c == '/' {
			return nil
		}
		before = c
	}
}

// isInTrigger tells whether the semicolon just kept is inside of a trigger, whose
// end is "; END;".
func (r *statementReader) isInTrigger() bool {
	p := parser{text: r.buffer}
	if !p.word("create") {
		return false
	}
	_ = p.word("temp") || p.word("temporary")
	if !p.word("trigger") {
		return false
	}
	rest := bytes.TrimSpace(r.buffer[:len(r.buffer)-1])
	body, isEnd := cutSuffixFold(rest, "end")
	return !isEnd || !bytes.HasSuffix(bytes.TrimSpace(body), []byte(";"))
}

func cutSuffixFold(text []byte, suffix string) ([]byte, bool) {
	at := len(text) - len(suffix)
	if at < 0 || !bytes.EqualFold(text[at:], []byte(suffix)) {
		return text, false
	}
	return text[:at], true
}

func (r *statementReader) end(s statement, err error) (statement, error) {
	if !errors.Is(err, io.EOF) {
		return statement{}, err
	}
	if s.line == 0 {
		return statement{}, io.EOF
	}
	return statement{}, fmt.Errorf("line %d: %w", s.line, errCutOff)
}
