package statement

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// recordReader reads CSV as RFC 4180 has it, with lines that end in LF or CRLF. It
// exists because encoding/csv changes line ends inside of fields, which the hash
// covers, and has no bound.
type recordReader struct{ r *bufio.Reader }

// read returns io.EOF only where a record would begin.
func (r *recordReader) read() ([]string, error) {
	if _, err := r.r.Peek(1); err != nil {
		return nil, err
	}
	var record []string
	for left := maxEntryBytes; ; {
		value, end, err := r.field(&left)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		record = append(record, value)
		if end == '\n' {
			return record, nil
		}
	}
}

// field returns a field and the comma or line end behind it.
func (r *recordReader) field(left *int) (string, byte, error) {
	first, err := r.next(left)
	if err != nil {
		return "", 0, err
	}
	if first == '"' {
		return r.quoted(left)
	}
	var value []byte
	for c := first; ; {
		switch c {
		case ',', '\n':
			return string(value), c, nil
		case '\r':
			end, err := r.end(c, left)
			return string(value), end, err
		case '"':
			return "", 0, errors.New("there is a quote inside of a field that is not quoted")
		}
		value = append(value, c)
		if c, err = r.next(left); err != nil {
			return "", 0, err
		}
	}
}

func (r *recordReader) quoted(left *int) (string, byte, error) {
	var value []byte
	for {
		c, err := r.next(left)
		if err != nil {
			return "", 0, err
		}
		if c != '"' {
			value = append(value, c)
			continue
		}
		if c, err = r.next(left); err != nil {
			return "", 0, err
		}
		if c != '"' {
			end, err := r.end(c, left)
			return string(value), end, err
		}
		value = append(value, c)
	}
}

// end takes the character behind a field for its end.
func (r *recordReader) end(c byte, left *int) (byte, error) {
	if c == '\r' {
		next, err := r.next(left)
		if err != nil {
			return 0, err
		}
		if c = next; c != '\n' {
			return 0, errors.New("there is a carriage return outside of a quoted field")
		}
	}
	if c != ',' && c != '\n' {
		return 0, fmt.Errorf("there is %q behind a quoted field", c)
	}
	return c, nil
}

func (r *recordReader) next(left *int) (byte, error) {
	if *left--; *left < 0 {
		return 0, fmt.Errorf("it is longer than %d bytes", maxEntryBytes)
	}
	return r.r.ReadByte()
}
