package statement

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"sokuji/internal/ledger"
)

// jsonDecoder reads what jsonEncoder writes, and nothing that two readers could
// understand in two ways: no key twice, no key that is not ours, no other order.
type jsonDecoder struct {
	tokens *json.Decoder
	budget *budgetReader
}

// budgetReader ends a value that is too long for what it is.
type budgetReader struct {
	r    io.Reader
	left int
}

func newJSONDecoder(r io.Reader) *jsonDecoder {
	budget := &budgetReader{r: r, left: maxEntryBytes}
	return &jsonDecoder{json.NewDecoder(budget), budget}
}

func (b *budgetReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("it is longer than %d bytes", maxEntryBytes)
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func (j *jsonDecoder) open() (h Header, err error) {
	if err := j.delimiter('{'); err != nil {
		return h, err
	}
	var title, subjectType, from, to string
	for _, part := range []struct {
		key    string
		target *string
		k      kind
	}{
		{"format", &title, kindText}, {"subjectType", &subjectType, kindText}, {"subjectId", &h.Subject.ID, kindText},
		{"from", &from, kindOptional}, {"to", &to, kindOptional},
	} {
		if *part.target, err = j.member(part.key, part.k); err != nil {
			return h, err
		}
	}
	if title != Title {
		return h, fmt.Errorf("format is %q, not %q", title, Title)
	}
	h.Subject.Type = ledger.SubjectType(subjectType)
	if h.From, err = readTime(from); err != nil {
		return h, err
	}
	if h.To, err = readTime(to); err != nil {
		return h, err
	}
	if h.Opening, err = j.point("opening"); err != nil {
		return h, err
	}
	if err := j.key("entries"); err != nil {
		return h, err
	}
	return h, j.delimiter('[')
}

func (j *jsonDecoder) entry() (ledger.Entry, error) {
	j.budget.left = maxEntryBytes
	if !j.tokens.More() {
		if err := j.delimiter(']'); err != nil {
			return ledger.Entry{}, complete(err)
		}
		return ledger.Entry{}, io.EOF
	}
	if err := j.delimiter('{'); err != nil {
		return ledger.Entry{}, complete(err)
	}
	values, err := j.members(fieldIndex, func(i int) kind { return fields[i].kind })
	if err != nil {
		return ledger.Entry{}, complete(err)
	}
	return build(values)
}

func (j *jsonDecoder) close(*Header) (p Point, err error) {
	j.budget.left = maxEntryBytes
	if p, err = j.point("closing"); err != nil {
		return p, err
	}
	if err := j.delimiter('}'); err != nil {
		return p, err
	}
	if _, err := j.tokens.Token(); !errors.Is(err, io.EOF) {
		return p, errors.New("it goes on after its end")
	}
	return p, nil
}

var pointIndex = map[string]int{"balance": 0, "seq": 1, "hash": 2}

func (j *jsonDecoder) point(name string) (p Point, err error) {
	if err := j.key(name); err != nil {
		return p, err
	}
	if err := j.delimiter('{'); err != nil {
		return p, err
	}
	values, err := j.members(pointIndex, func(i int) kind { return []kind{kindNumber, kindNumber, kindText}[i] })
	if err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	if p.Balance, err = readNumber(values[0]); err != nil {
		return p, fmt.Errorf("%s: balance: %w", name, err)
	}
	if p.Seq, err = readNumber(values[1]); err != nil {
		return p, fmt.Errorf("%s: seq: %w", name, err)
	}
	if p.Hash, err = readHash(values[2]); err != nil {
		return p, fmt.Errorf("%s: hash: %w", name, err)
	}
	return p, nil
}

// members reads the rest of an object with exactly the keys of the index.
func (j *jsonDecoder) members(index map[string]int, kindOf func(int) kind) ([]string, error) {
	values, seen := make([]string, len(index)), make([]bool, len(index))
	for j.tokens.More() {
		token, err := j.tokens.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		i, known := index[name]
		if !known || seen[i] {
			return nil, fmt.Errorf("the key %q does not belong there, or is there twice", name)
		}
		seen[i] = true
		if values[i], err = j.value(name, kindOf(i)); err != nil {
			return nil, err
		}
	}
	for name, i := range index {
		if !seen[i] {
			return nil, fmt.Errorf("the key %q is missing", name)
		}
	}
	return values, j.delimiter('}')
}

// member reads a key that must be the next, and its value.
func (j *jsonDecoder) member(name string, k kind) (string, error) {
	if err := j.key(name); err != nil {
		return "", err
	}
	return j.value(name, k)
}

func (j *jsonDecoder) key(name string) error {
	token, err := j.tokens.Token()
	if err != nil {
		return err
	}
	if token != name {
		return fmt.Errorf("there is %v where the key %q should be", token, name)
	}
	return nil
}

func (j *jsonDecoder) delimiter(want json.Delim) error {
	token, err := j.tokens.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("there is %v where %v should be", token, want)
	}
	return nil
}

// value is the text of a value, whose bytes are kept.
func (j *jsonDecoder) value(name string, k kind) (string, error) {
	var raw json.RawMessage
	if err := j.tokens.Decode(&raw); err != nil {
		return "", err
	}
	if k == kindNumber || k == kindJSON {
		return string(raw), nil
	}
	if k == kindOptional && string(raw) == "null" {
		return "", nil
	}
	var text string
	if len(raw) == 0 || raw[0] != '"' {
		return "", fmt.Errorf("%s is not a string", name)
	}
	err := json.Unmarshal(raw, &text)
	return text, err
}
