package d1import

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// parser reads the text of one statement from left to right.
type parser struct {
	text  []byte
	at    int
	depth int // of the expression that is being read
	made  int // bytes that functions made so far
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\n', '\t', '\r', '\f':
			p.at++
		default:
			return
		}
	}
}

func (p *parser) peek() byte {
	p.space()
	if p.at >= len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// symbol takes a character if it is next.
func (p *parser) symbol(c byte) bool {
	if p.peek() != c || p.at >= len(p.text) {
		return false
	}
	p.at++
	return true
}

// word takes a keyword if it is next, in any case.
func (p *parser) word(keyword string) bool {
	p.space()
	end := p.at + len(keyword)
	if end > len(p.text) || !strings.EqualFold(string(p.text[p.at:end]), keyword) {
		return false
	}
	if end < len(p.text) && isNameByte(p.text[end]) {
		return false
	}
	p.at = end
	return true
}

func isNameByte(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// name takes an identifier, quoted in any of SQLite's ways or bare.
func (p *parser) name() (string, error) {
	first := p.peek()
	if closing := closingQuote(first); closing != 0 {
		return p.quoted(closing)
	}
	start := p.at
	for p.at < len(p.text) && isNameByte(p.text[p.at]) {
		p.at++
	}
	if p.at == start {
		return "", p.unexpected("a name")
	}
	return string(p.text[start:p.at]), nil
}

// quoted takes what stands between two quotes, of which the first is next. A
// doubled closing quote stands for itself.
func (p *parser) quoted(closing byte) (string, error) {
	p.at++
	var parts []byte
	for {
		length := bytes.IndexByte(p.text[p.at:], closing)
		if length < 0 {
			p.at = len(p.text)
			return "", errors.New("a quote is not closed")
		}
		chunk := p.text[p.at : p.at+length]
		p.at += length + 1
		if closing == ']' || p.at >= len(p.text) || p.text[p.at] != closing {
			if parts == nil {
				return string(chunk), nil
			}
			return string(append(parts, chunk...)), nil
		}
		parts = append(append(parts, chunk...), closing)
		p.at++
	}
}

// unexpected says what is missing. What is there instead may be a secret: no error
// of the parser has any of the text.
func (p *parser) unexpected(wanted string) error {
	return fmt.Errorf("%s is expected where something else stands", wanted)
}

// qualifiedName takes a name, without the schema that may stand before it.
func (p *parser) qualifiedName() (string, error) {
	name, err := p.name()
	if err == nil && p.symbol('.') {
		return p.name()
	}
	return name, err
}
