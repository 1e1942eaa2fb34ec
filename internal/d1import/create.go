package d1import

import (
	"fmt"
	"strings"
)

// tableShape is what CREATE TABLE says: the table and its columns, in order.
type tableShape struct {
	table   string
	columns []string
}

// tableConstraints begin a part of CREATE TABLE that is no column.
var tableConstraints = []string{"constraint", "primary", "unique", "check", "foreign"}

// parseCreate reads a CREATE TABLE. The bool is false for any other statement.
func parseCreate(text []byte) (shape tableShape, isCreate bool, err error) {
	p := &parser{text: text}
	if !p.word("create") {
		return shape, false, nil
	}
	_ = p.word("temp") || p.word("temporary")
	if !p.word("table") {
		return shape, false, nil
	}
	if p.word("if") {
		p.word("not")
		p.word("exists")
	}
	if shape.table, err = p.qualifiedName(); err != nil {
		return shape, true, err
	}
	if !p.symbol('(') {
		return shape, true, p.unexpected("(")
	}
	for {
		if err := p.columnDefinition(&shape); err != nil {
			return shape, true, err
		}
		if p.symbol(',') {
			continue
		}
		if !p.symbol(')') {
			return shape, true, p.unexpected(")")
		}
		return shape, true, nil
	}
}

// columnDefinition steps over one part of the list and keeps the column's name.
func (p *parser) columnDefinition(shape *tableShape) error {
	if !p.isConstraint() {
		name, err := p.name()
		if err != nil {
			return err
		}
		if len(shape.columns) == maxColumns {
			return fmt.Errorf("the table has more than %d columns", maxColumns)
		}
		shape.columns = append(shape.columns, strings.ToLower(name))
	}
	return p.skipToComma()
}

func (p *parser) isConstraint() bool {
	for _, keyword := range tableConstraints {
		before := p.at
		if p.word(keyword) {
			p.at = before
			return true
		}
	}
	return false
}

// skipToComma steps over anything up to a comma or a closing bracket of its own
// level.
func (p *parser) skipToComma() error {
	for depth := 0; ; {
		c := p.peek()
		switch {
		case p.at >= len(p.text):
			return p.unexpected(")")
		case depth == 0 && (c == ',' || c == ')'):
			return nil
		case closingQuote(c) != 0:
			if _, err := p.quoted(closingQuote(c)); err != nil {
				return err
			}
			continue
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
		p.at++
	}
}
