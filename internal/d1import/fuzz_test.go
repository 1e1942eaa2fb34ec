package d1import

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// FuzzStatements reads anything as a dump: no input may stop the process, take more
// memory than its bound, or be read in two ways.
func FuzzStatements(f *testing.F) {
	for _, text := range []string{
		"", ";", "PRAGMA defer_foreign_keys=TRUE;\nCREATE TABLE `t` (\n\t`id` text PRIMARY KEY NOT NULL,\n\tFOREIGN KEY (`a`) REFERENCES `b`(`c`)\n);",
		"INSERT INTO \"t\" VALUES('it''s',NULL,1.5,-2,X'00ff',replace('a\\nb','\\n',char(10)),unistr('\\u000a'));",
		"INSERT INTO t(a,b) VALUES(1,2),(3,4);", "CREATE TRIGGER t BEGIN SELECT 1; END;", "/* ; */ -- '\n'", "'", "\"", "[", "((((", "INSERT INTO t VALUES(9.0e+999);",
		"INSERT INTO t VALUES('a'||char(0)||'b');", "\xef\xbb\xbf\xff;",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		reader := newStatementReader(strings.NewReader(text))
		for {
			s, err := reader.next()
			if errors.Is(err, io.EOF) || errors.Is(err, errCutOff) {
				return
			}
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if len(s.text) == 0 || len(s.text) > len(text) || s.line < 1 || s.line > 1+strings.Count(text, "\n") {
				t.Fatalf("%q: statement %q at line %d", text, s.text, s.line)
			}
			fuzzStatement(t, string(s.text))
		}
	})
}

func fuzzStatement(t *testing.T, text string) {
	shape, isCreate, err := parseCreate([]byte(text))
	if isCreate && err == nil && len(shape.columns) > len(text) {
		t.Fatalf("%q has %d columns", text, len(shape.columns))
	}
	size := 0
	isInsert, err := parseInsert([]byte(text), func(insertHead) bool { return true }, func(values []any) error {
		for _, value := range values {
			switch value := value.(type) {
			case nil, int64, float64:
			case string:
				size += len(value)
			case []byte:
				size += len(value)
			default:
				t.Fatalf("%q has a %T", text, value)
			}
		}
		return nil
	})
	if isInsert && isCreate {
		t.Fatalf("%q is two statements", text)
	}
	if err == nil && size > len(text)+maxGeneratedBytes {
		t.Fatalf("%q makes %d bytes", text, size)
	}
}
