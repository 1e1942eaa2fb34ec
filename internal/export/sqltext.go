package export

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// sqlWriter writes tables as SQL text, a statement a line, as dumps of the
// original's database are: sqlite3 reads it, and "sokuji import d1".
type sqlWriter struct {
	w     *bufio.Writer
	table string
	line  []byte
}

func (s *sqlWriter) begin() error {
	_, err := s.w.WriteString("PRAGMA defer_foreign_keys=TRUE;\nBEGIN TRANSACTION;\n")
	return err
}

func (s *sqlWriter) end() error {
	_, err := s.w.WriteString("COMMIT;\n")
	return err
}

func (s *sqlWriter) beginTable(t table) error {
	s.table = t.name
	fmt.Fprintf(s.w, "CREATE TABLE `%s` (\n", t.name)
	for _, column := range t.columns {
		fmt.Fprintf(s.w, "\t`%s` %s,\n", column.name, sqlTypes[column.kind])
	}
	_, err := fmt.Fprintf(s.w, "\tPRIMARY KEY%s\n);\n", t.key)
	return err
}

func (s *sqlWriter) row(_ []column, values []any) error {
	s.line = append(append(append(s.line[:0], `INSERT INTO "`...), s.table...), `" VALUES(`...)
	for i, value := range values {
		if i > 0 {
			s.line = append(s.line, ',')
		}
		s.line = appendLiteral(s.line, value)
	}
	s.line = append(s.line, ");\n"...)
	_, err := s.w.Write(s.line)
	return err
}

func (s *sqlWriter) endTable() error { return nil }

// appendLiteral writes a value as SQLite reads it.
func appendLiteral(line []byte, value any) []byte {
	switch value := value.(type) {
	case nil:
		return append(line, "NULL"...)
	case int64:
		return strconv.AppendInt(line, value, 10)
	case float64:
		return appendReal(line, value)
	case bool:
		if value {
			return append(line, '1')
		}
		return append(line, '0')
	case json.RawMessage:
		return appendText(line, string(value))
	case string:
		return appendText(line, value)
	}
	panic(fmt.Sprintf("a value of type %T cannot be written", value)) // convert makes no other
}

// appendReal marks a number as one with decimals, so that it is read as such.
func appendReal(line []byte, value float64) []byte {
	if math.IsInf(value, 0) || math.IsNaN(value) {
		return append(line, "NULL"...)
	}
	start := len(line)
	line = strconv.AppendFloat(line, value, 'g', -1, 64)
	if !strings.ContainsAny(string(line[start:]), ".e") {
		line = append(line, ".0"...)
	}
	return line
}

// controls are characters that do not survive in a text of SQL: a line's end is
// what sqlite3 and editors change, and a zero is where they stop reading.
var controls = []struct {
	character string
	mark      string // stands for it, with digits behind it where the text has it too
	code      string
}{
	{"\n", `\n`, "char(10)"},
	{"\r", `\r`, "char(13)"},
	{"\x00", `\0`, "char(0)"},
}

// appendText quotes a text. Controls are put in by replace(), as SQLite's own dumps
// do it.
func appendText(line []byte, text string) []byte {
	type replacement struct{ mark, code string }
	var replaced []replacement
	for _, control := range controls {
		if !strings.Contains(text, control.character) {
			continue
		}
		mark := control.mark
		for n := 0; strings.Contains(text, mark); n++ {
			mark = control.mark + strconv.Itoa(n)
		}
		text = strings.ReplaceAll(text, control.character, mark)
		replaced = append(replaced, replacement{mark, control.code})
	}
	for range replaced {
		line = append(line, "replace("...)
	}
	line = append(line, '\'')
	line = append(line, strings.ReplaceAll(text, "'", "''")...)
	line = append(line, '\'')
	for i := len(replaced) - 1; i >= 0; i-- { // the last one that was marked comes out first
		line = append(line, ",'"+replaced[i].mark+"',"+replaced[i].code+")"...)
	}
	return line
}
