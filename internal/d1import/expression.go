package d1import

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// expression reads a value: a literal, or one of the few expressions that SQLite
// writes into dumps for texts with line breaks and control characters.
func (p *parser) expression() (any, error) {
	if p.depth++; p.depth > maxExpressionDepth {
		return nil, fmt.Errorf("an expression is more than %d levels deep", maxExpressionDepth)
	}
	defer func() { p.depth-- }()
	value, err := p.operand()
	for err == nil && p.concatenates() {
		var right any
		if right, err = p.operand(); err == nil {
			value, err = p.concatenate(value, right)
		}
	}
	return value, err
}

func (p *parser) concatenates() bool {
	p.space()
	if p.at+1 >= len(p.text) || p.text[p.at] != '|' || p.text[p.at+1] != '|' {
		return false
	}
	p.at += 2
	return true
}

func (p *parser) concatenate(left, right any) (any, error) {
	if left == nil || right == nil {
		return nil, nil
	}
	return p.make(textOf(left) + textOf(right))
}

// make bounds what expressions make of a short statement.
func (p *parser) make(text string) (any, error) {
	if p.made += len(text); p.made > maxGeneratedBytes {
		return nil, fmt.Errorf("its functions make more than %d bytes", maxGeneratedBytes)
	}
	return text, nil
}

func (p *parser) operand() (any, error) {
	switch c := p.peek(); {
	case c == '\'':
		return p.quoted('\'')
	case c == '(':
		p.at++
		value, err := p.expression()
		if err == nil && !p.symbol(')') {
			err = p.unexpected(")")
		}
		return value, err
	case c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9':
		return p.number()
	case (c == 'x' || c == 'X') && p.at+1 < len(p.text) && p.text[p.at+1] == '\'':
		return p.blob()
	case c == '"':
		return p.quoted('"') // SQLite's old habit of taking a name for a text
	}
	for keyword, value := range map[string]any{"null": nil, "true": int64(1), "false": int64(0)} {
		if p.word(keyword) {
			return value, nil
		}
	}
	return p.call()
}

func (p *parser) blob() (any, error) {
	p.at++
	digits, err := p.quoted('\'')
	if err != nil {
		return nil, err
	}
	blob, err := hex.DecodeString(digits)
	if err != nil {
		return nil, errors.New("a blob is not written in hexadecimal digits")
	}
	return blob, nil
}

var errNoNumber = errors.New("a number is not written as one")

// number reads a whole number as int64, if it fits, and any other as float64.
func (p *parser) number() (any, error) {
	start := p.at
	for p.at < len(p.text) && (p.text[p.at] == '-' || p.text[p.at] == '+') {
		p.at++
		p.space()
	}
	isNegative := strings.Count(string(p.text[start:p.at]), "-")%2 == 1
	digits := p.digits()
	if isHex := strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X"); isHex {
		bits, err := strconv.ParseUint(digits[2:], 16, 64)
		if err != nil {
			return nil, errNoNumber
		}
		if isNegative {
			return -int64(bits), nil
		}
		return int64(bits), nil
	}
	if isNegative {
		digits = "-" + digits
	}
	if whole, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return whole, nil
	}
	if strings.ContainsAny(digits, "xXpP_iInN") {
		return nil, errNoNumber
	}
	number, err := strconv.ParseFloat(digits, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // 9.0e+999 is how SQLite writes infinity
		return nil, errNoNumber
	}
	return number, nil
}

func (p *parser) digits() string {
	start := p.at
	for p.at < len(p.text) {
		c := p.text[p.at]
		isSign := (c == '+' || c == '-') && p.at > start && (p.text[p.at-1] == 'e' || p.text[p.at-1] == 'E')
		if !isNameByte(c) && c != '.' && !isSign {
			break
		}
		p.at++
	}
	return string(p.text[start:p.at])
}

// call reads replace(…), char(…) or unistr(…).
func (p *parser) call() (any, error) {
	before := p.at
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	if !p.symbol('(') {
		p.at = before
		return nil, p.unexpected("a value")
	}
	var arguments []any
	opening := p.at - 1
	if !p.symbol(')') {
		p.at = opening
		if arguments, err = p.tuple(nil); err != nil {
			return nil, err
		}
	}
	switch strings.ToLower(name) {
	case "replace":
		return p.replace(arguments)
	case "char":
		return p.char(arguments)
	case "unistr":
		return p.unistr(arguments)
	}
	return nil, errors.New("a function is none that dumps use")
}

func (p *parser) replace(arguments []any) (any, error) {
	if len(arguments) != 3 {
		return nil, fmt.Errorf("replace has %d arguments, not 3", len(arguments))
	}
	for _, argument := range arguments {
		if argument == nil {
			return nil, nil
		}
	}
	text, old, replacement := textOf(arguments[0]), textOf(arguments[1]), textOf(arguments[2])
	if old == "" {
		return text, nil
	}
	if growth := strings.Count(text, old) * max(0, len(replacement)-len(old)); growth > maxGeneratedBytes {
		return nil, fmt.Errorf("its functions make more than %d bytes", maxGeneratedBytes)
	}
	return p.make(strings.ReplaceAll(text, old, replacement))
}

func (p *parser) char(arguments []any) (any, error) {
	var text strings.Builder
	for _, argument := range arguments {
		code, _ := argument.(int64)
		if code < 0 || code > utf8.MaxRune {
			code = utf8.RuneError
		}
		text.WriteRune(rune(code))
	}
	return p.make(text.String())
}

// unistr reads \XXXX, \uXXXX, \+XXXXXX, \UXXXXXXXX and \\.
func (p *parser) unistr(arguments []any) (any, error) {
	if len(arguments) != 1 {
		return nil, fmt.Errorf("unistr has %d arguments, not 1", len(arguments))
	}
	if arguments[0] == nil {
		return nil, nil
	}
	var out strings.Builder
	for rest := textOf(arguments[0]); rest != ""; {
		plain, escape, found := strings.Cut(rest, `\`)
		out.WriteString(plain)
		if !found {
			break
		}
		code, length, err := unistrEscape(escape)
		if err != nil {
			return nil, err
		}
		out.WriteRune(code)
		rest = escape[length:]
	}
	return p.make(out.String())
}

func unistrEscape(escape string) (code rune, length int, err error) {
	digits := 4
	switch {
	case escape == "":
		return 0, 0, errors.New("unistr ends with a backslash")
	case escape[0] == '\\':
		return '\\', 1, nil
	case escape[0] == 'u':
		length = 1
	case escape[0] == '+':
		length, digits = 1, 6
	case escape[0] == 'U':
		length, digits = 1, 8
	}
	if len(escape) < length+digits {
		return 0, 0, errors.New("an escape of unistr is too short")
	}
	number, err := strconv.ParseUint(escape[length:length+digits], 16, 32)
	if err != nil || number > utf8.MaxRune {
		return 0, 0, errors.New("an escape of unistr names no character")
	}
	return rune(number), length + digits, nil
}

// textOf is a value as SQLite makes text of it.
func textOf(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case []byte:
		return string(value)
	case int64:
		return strconv.FormatInt(value, 10)
	case float64:
		if value == math.Trunc(value) && math.Abs(value) < 1<<53 {
			return strconv.FormatFloat(value, 'f', 1, 64)
		}
		return strconv.FormatFloat(value, 'g', -1, 64)
	}
	return fmt.Sprint(value)
}
