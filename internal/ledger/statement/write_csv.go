package statement

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"sokuji/internal/ledger"
)

// The CSV has the names of the fields first, then a row with the id "#opening",
// the entries, and a row with the id "#closing". Those two carry the balance in
// balanceAfter, the chain in seq and hash, the ends of the period in createdAt,
// and the title in description; no entry's id begins with a #.
const (
	openingID = "#opening"
	closingID = "#closing"
	markRune  = "#"
)

type csvEncoder struct{ w *csv.Writer }

func newCSVEncoder(w io.Writer) *csvEncoder { return &csvEncoder{csv.NewWriter(w)} }

func (c *csvEncoder) open(h Header) error {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	if err := c.w.Write(names); err != nil {
		return err
	}
	return c.w.Write(pointRow(openingID, h, h.Opening, showTime(h.From)))
}

func (c *csvEncoder) entry(e *ledger.Entry) error {
	if strings.HasPrefix(e.ID, markRune) {
		return errors.New("its id begins with a #, as no id of the ledger does")
	}
	return c.w.Write(cells(e))
}

func (c *csvEncoder) close(h Header, closing Point) error {
	if err := c.w.Write(pointRow(closingID, h, closing, showTime(h.To))); err != nil {
		return err
	}
	c.w.Flush()
	return c.w.Error()
}

func cells(e *ledger.Entry) []string {
	row := make([]string, len(fields))
	for i, f := range fields {
		row[i] = f.show(e)
		if f.kind != kindNumber {
			row[i] = guard(row[i])
		}
	}
	return row
}

// pointRow is the row of an opening or a closing.
func pointRow(id string, h Header, p Point, at string) []string {
	row := cells(&ledger.Entry{
		Subject: h.Subject, Seq: p.Seq, BalanceAfter: p.Balance, Description: Title, Hash: p.Hash,
	})
	row[fieldIndex["id"]] = id
	row[fieldIndex["amountTokens"]] = ""
	row[fieldIndex["createdAt"]] = at
	row[fieldIndex["prevHash"]] = ""
	return row
}

// guard keeps a spreadsheet from taking somebody's words for a formula, as the
// other CSVs do. So that bare can take it back, a text that begins with the mark
// gets another one.
func guard(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r'", rune(text[0])) {
		return "'" + text
	}
	return text
}

// bare undoes guard.
func bare(text string) string {
	return strings.TrimPrefix(text, "'")
}
