package d1import

import (
	"fmt"
	"slices"
	"strings"
)

// insertHead is what stands before the values of an INSERT.
type insertHead struct {
	table   string
	columns []string // nil: those of the table, in its order
}

// parseInsert reads an INSERT or REPLACE with VALUES and calls row with each row,
// whose values are nil, int64, float64, string or []byte. The slice is valid during
// the call only. A statement that cannot be read to its end has no rows. isInsert is
// false for any other statement.
func parseInsert(text []byte, begin func(insertHead) (wanted bool), row func(values []any) error) (isInsert bool, err error) {
	p := &parser{text: text}
	head, isInsert, err := p.insertHead()
	if !isInsert || err != nil {
		return isInsert, err
	}
	if !begin(head) {
		return true, nil
	}
	if !p.word("values") {
		return true, p.unexpected("VALUES")
	}
	values, err := p.tuple(nil)
	if err == nil && p.isAtEnd() { // as wrangler writes them
		return true, row(values)
	}
	if err != nil {
		return true, err
	}
	rest := *p
	if err := rest.rows(slices.Clone(values), func([]any) error { return nil }); err != nil {
		return true, err
	}
	return true, p.rows(values, row)
}

// rows hands on a row that was read, and those behind it to the end of the
// statement.
func (p *parser) rows(values []any, row func(values []any) error) error {
	for {
		if err := row(values); err != nil {
			return err
		}
		if p.isAtEnd() {
			return nil
		}
		if !p.symbol(',') {
			return p.unexpected("the end of the statement")
		}
		var err error
		if values, err = p.tuple(values[:0]); err != nil {
			return err
		}
	}
}

func (p *parser) isAtEnd() bool {
	p.space()
	return p.at >= len(p.text)
}

func (p *parser) insertHead() (head insertHead, isInsert bool, err error) {
	switch {
	case p.word("insert"):
		if p.word("or") {
			if _, err := p.name(); err != nil {
				return head, true, err
			}
		}
	case p.word("replace"):
	default:
		return head, false, nil
	}
	if !p.word("into") {
		return head, true, p.unexpected("INTO")
	}
	if head.table, err = p.qualifiedName(); err != nil || !p.symbol('(') {
		return head, true, err
	}
	for {
		name, err := p.name()
		if err != nil {
			return head, true, err
		}
		if len(head.columns) == maxColumns {
			return head, true, fmt.Errorf("the row has more than %d columns", maxColumns)
		}
		head.columns = append(head.columns, strings.ToLower(name))
		if p.symbol(')') {
			return head, true, nil
		}
		if !p.symbol(',') {
			return head, true, p.unexpected(", or )")
		}
	}
}

// tuple reads one row in brackets.
func (p *parser) tuple(values []any) ([]any, error) {
	if !p.symbol('(') {
		return values, p.unexpected("(")
	}
	for {
		value, err := p.expression()
		if err != nil {
			return values, err
		}
		if len(values) == maxColumns {
			return values, fmt.Errorf("the row has more than %d values", maxColumns)
		}
		values = append(values, value)
		if p.symbol(')') {
			return values, nil
		}
		if !p.symbol(',') {
			return values, p.unexpected(", or )")
		}
	}
}
