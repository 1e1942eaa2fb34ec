package verify

import (
	"encoding/json"
	"fmt"
	"time"

	"sokuji/internal/ledger"
)

// timeLayout is the only form in which an instant is stored.
const timeLayout = "2006-01-02 15:04:05.000Z"

// cells reads the columns of one row from left to right. It is strict: a value in
// another form than the one the ledger writes is a problem, also when it would
// decode to the same. The first problem is kept; what follows it is read all the
// same, as far as it can be.
type cells struct {
	names   []string
	values  []any
	next    int
	problem string // a sentence, empty while all is well
}

func (c *cells) reset() { c.next, c.problem = 0, "" }

func (c *cells) take() (name string, value any) {
	name, value = c.names[c.next], c.values[c.next]
	c.next++
	return name, value
}

func (c *cells) fail(format string, arguments ...any) {
	if c.problem == "" {
		c.problem = fmt.Sprintf(format, arguments...)
	}
}

func (c *cells) text() string {
	name, value := c.take()
	text, ok := value.(string)
	if !ok {
		c.fail("%s is %s, not text", name, kindOf(value))
	}
	return text
}

func (c *cells) integer() int64 {
	name, value := c.take()
	number, ok := value.(int64)
	if !ok {
		c.fail("%s is %s, not a whole number", name, kindOf(value))
	}
	return number
}

// tokens is a whole number that sums can be made of: at most the bound either way.
func (c *cells) tokens(bound int64) int64 {
	name := c.names[c.next]
	number := c.integer()
	if number > bound || number < -bound {
		c.fail("%s is %d, beyond the bound of %d", name, number, bound)
		return 0
	}
	return number
}

// instant also returns the text, whose order is that of time.
func (c *cells) instant() (time.Time, string) {
	name := c.names[c.next]
	text := c.text()
	at, ok := parseInstant(text)
	if !ok {
		c.fail("%s is %q, not a time in the form %q", name, text, timeLayout)
	}
	return at, text
}

func parseInstant(text string) (time.Time, bool) {
	at, err := time.Parse(timeLayout, text)
	return at, err == nil && at.Format(timeLayout) == text
}

// hash is 64 lower-case hexadecimal digits; where the zero hash is allowed, it is
// the empty text.
func (c *cells) hash(mayBeZero bool) ledger.Hash {
	name := c.names[c.next]
	text := c.text()
	hash, err := ledger.ParseHash(text)
	isZero := hash == ledger.Hash{}
	switch {
	case err != nil || isZero != (text == "") || (!isZero && hash.String() != text):
		c.fail("%s is %q, not 64 lower-case hexadecimal digits", name, text)
	case isZero && !mayBeZero:
		c.fail("%s is empty", name)
	}
	return hash
}

// object is NULL or JSON that is not empty.
func (c *cells) object() json.RawMessage {
	name, value := c.take()
	if value == nil {
		return nil
	}
	text, ok := value.(string)
	if !ok {
		c.fail("%s is %s, not JSON text or NULL", name, kindOf(value))
		return nil
	}
	if !json.Valid([]byte(text)) {
		c.fail("%s is not valid JSON", name)
	}
	return json.RawMessage(text)
}

func (c *cells) subject() ledger.Subject {
	name := c.names[c.next]
	kind := ledger.SubjectType(c.text())
	if kind != ledger.SubjectUser && kind != ledger.SubjectOrganization {
		c.fail("%s is %q, neither user nor organization", name, kind)
	}
	return ledger.Subject{Type: kind, ID: c.text()}
}

// flag is 0 or 1.
func (c *cells) flag() bool {
	name := c.names[c.next]
	number := c.integer()
	if number != 0 && number != 1 {
		c.fail("%s is %d, neither 0 nor 1", name, number)
	}
	return number != 0
}

// maybeText and maybeInteger read columns of an outer join, which may be missing.
func (c *cells) maybeText() string {
	text, _ := c.maybe()
	return text
}

// maybe also tells whether there is a text.
func (c *cells) maybe() (text string, found bool) {
	_, value := c.take()
	text, found = value.(string)
	return text, found
}

func (c *cells) maybeInteger() (number int64, found bool) {
	_, value := c.take()
	number, found = value.(int64)
	return number, found
}

func kindOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "NULL"
	case string:
		return "text"
	case int64:
		return "a whole number"
	case float64:
		return fmt.Sprintf("the number %v", value)
	case []byte:
		return fmt.Sprintf("a blob of %d bytes", len(value))
	}
	return fmt.Sprintf("a %T", value)
}

// rowName is how a finding calls a row whose id may be unreadable.
func rowName(id string, rowid int64) string {
	if id == "" {
		return fmt.Sprintf("rowid %d", rowid)
	}
	return id
}
