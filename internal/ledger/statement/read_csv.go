package statement

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"sokuji/internal/ledger"
)

// csvDecoder reads what csvEncoder writes.
type csvDecoder struct {
	records *recordReader
	subject ledger.Subject
	closing []string // the last row, once it was met
}

func (c *csvDecoder) open() (h Header, err error) {
	names, err := c.records.read()
	if err != nil {
		return h, err
	}
	for i, f := range fields {
		if i >= len(names) || names[i] != f.name || len(names) != len(fields) {
			return h, fmt.Errorf("the columns are %q, not those of a statement", names)
		}
	}
	row, err := c.row()
	if err != nil {
		return h, err
	}
	if row[fieldIndex["id"]] != openingID {
		return h, fmt.Errorf("the first row is %q, not %q", row[fieldIndex["id"]], openingID)
	}
	c.subject = ledger.Subject{
		Type: ledger.SubjectType(bare(row[fieldIndex["subjectType"]])), ID: bare(row[fieldIndex["subjectId"]]),
	}
	h.Subject = c.subject
	if h.Opening, h.From, err = c.point(row); err != nil {
		return h, err
	}
	return h, nil
}

func (c *csvDecoder) entry() (ledger.Entry, error) {
	row, err := c.row()
	if err != nil {
		return ledger.Entry{}, complete(err)
	}
	if row[fieldIndex["id"]] == closingID {
		c.closing = row
		return ledger.Entry{}, io.EOF
	}
	for i, f := range fields {
		if f.kind != kindNumber {
			row[i] = bare(row[i])
		}
	}
	return build(row)
}

func (c *csvDecoder) close(h *Header) (p Point, err error) {
	subject := ledger.Subject{
		Type: ledger.SubjectType(bare(c.closing[fieldIndex["subjectType"]])), ID: bare(c.closing[fieldIndex["subjectId"]]),
	}
	if subject != c.subject {
		return p, fmt.Errorf("it closes for %s %q", subject.Type, subject.ID)
	}
	if p, h.To, err = c.point(c.closing); err != nil {
		return p, err
	}
	if _, err := c.records.read(); !errors.Is(err, io.EOF) {
		return p, errors.New("it goes on after its end")
	}
	return p, nil
}

// row reads a record with the columns of an entry.
func (c *csvDecoder) row() ([]string, error) {
	row, err := c.records.read()
	if err == nil && len(row) != len(fields) {
		return nil, fmt.Errorf("a row has %d columns, not %d", len(row), len(fields))
	}
	return row, err
}

// unusedInPoint are the columns that stay empty in an opening or a closing.
var unusedInPoint = []string{
	"amountTokens", "eventType", "referenceType", "referenceId", "planId", "externalEventId", "idempotencyKey", "requestHash",
	"metadata", "prevHash",
}

func (c *csvDecoder) point(row []string) (p Point, at time.Time, err error) {
	if title := row[fieldIndex["description"]]; title != Title {
		return p, at, fmt.Errorf("description is %q, not %q", title, Title)
	}
	if i := slices.IndexFunc(unusedInPoint, func(name string) bool { return row[fieldIndex[name]] != "" }); i >= 0 {
		return p, at, fmt.Errorf("%s is not empty", unusedInPoint[i])
	}
	if p.Balance, err = readNumber(row[fieldIndex["balanceAfter"]]); err != nil {
		return p, at, fmt.Errorf("balanceAfter: %w", err)
	}
	if p.Seq, err = readNumber(row[fieldIndex["seq"]]); err != nil {
		return p, at, fmt.Errorf("seq: %w", err)
	}
	if p.Hash, err = readHash(row[fieldIndex["hash"]]); err != nil {
		return p, at, fmt.Errorf("hash: %w", err)
	}
	at, err = readTime(row[fieldIndex["createdAt"]])
	return p, at, err
}
