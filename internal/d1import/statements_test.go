package d1import

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// split reads all statements of a text.
func split(t *testing.T, in io.Reader) (texts []string, lines []int, err error) {
	t.Helper()
	reader := newStatementReader(in)
	for {
		s, err := reader.next()
		if errors.Is(err, io.EOF) {
			return texts, lines, nil
		}
		if err != nil {
			return texts, lines, err
		}
		texts, lines = append(texts, string(s.text)), append(lines, s.line)
	}
}

func TestStatementsAreSplit(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"white space and semicolons", " ;\n;; \t", nil},
		{"two", "a;b;", []string{"a", "b"}},
		{"no space is kept around", " a \n;\n\tb ;", []string{"a", "b"}},
		{"a semicolon in a text", "a ';' b;c;", []string{"a ';' b", "c"}},
		{"a doubled quote", "'it''s; fine';b;", []string{"'it''s; fine'", "b"}},
		{"names in quotes", "\"a;\" `b;` [c;];d;", []string{"\"a;\" `b;` [c;]", "d"}},
		{"a text over lines", "'a\n;\r\nb';c;", []string{"'a\n;\r\nb'", "c"}},
		{"a comment to the end of the line", "a -- ;'\n b;", []string{"a  b"}},
		{"a comment over lines", "a /* ; ' \n */ b;", []string{"a  b"}},
		{"a comment in a text is none", "'--' '/*';b;", []string{"'--' '/*'", "b"}},
		{"a comment at the end", "a; -- that's all", []string{"a"}},
		{"a minus and a slash", "1-1/2;", []string{"1-1/2"}},
		{"a byte order mark", "\xef\xbb\xbfa;", []string{"a"}},
		{"a trigger", "CREATE TRIGGER t BEGIN INSERT INTO a VALUES(1); SELECT CASE WHEN 1 THEN 2 END; END;b;",
			[]string{"CREATE TRIGGER t BEGIN INSERT INTO a VALUES(1); SELECT CASE WHEN 1 THEN 2 END; END", "b"}},
		{"a temporary trigger", "create temp trigger t begin select 1; end ;b;", []string{"create temp trigger t begin select 1; end", "b"}},
		{"a table called trigger", "CREATE TABLE trigger(a);b;", []string{"CREATE TABLE trigger(a)", "b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(test.text), iotest.OneByteReader(strings.NewReader(test.text))} {
				got, _, err := split(t, in)
				if err != nil || strings.Join(got, "|") != strings.Join(test.want, "|") {
					t.Errorf("got %q, %v; want %q", got, err, test.want)
				}
			}
		})
	}
}

func TestStatementsKnowTheirLines(t *testing.T) {
	_, lines, err := split(t, strings.NewReader("\na;\n\n-- x\n'\n\n';\nc;"))
	if err != nil || len(lines) != 3 || lines[0] != 2 || lines[1] != 5 || lines[2] != 8 {
		t.Errorf("got %v, %v", lines, err)
	}
}

// A dump that was cut off must not pass for a whole one.
func TestAnUnfinishedStatementIsAnError(t *testing.T) {
	for _, text := range []string{"a", "a;b", "a;'b", "a;\"b;", "INSERT INTO t VALUES(1", "CREATE TRIGGER t BEGIN SELECT 1;"} {
		if got, _, err := split(t, strings.NewReader(text)); !errors.Is(err, errCutOff) || !strings.HasPrefix(err.Error(), "line 1:") {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
}

func TestReadErrorsAreTold(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, text := range []string{"", "a;b", "'b", "-- c", "/* d", "-"} {
		if _, _, err := split(t, io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// A statement beyond the bound is told, and the next one read; memory stays.
func TestALongStatementIsPassedOver(t *testing.T) {
	long := io.MultiReader(strings.NewReader("INSERT '"), io.LimitReader(zeros{}, MaxStatementBytes+1), strings.NewReader("';b;"))
	reader := newStatementReader(long)
	s, err := reader.next()
	if err != nil || !s.tooLong || len(s.text) != MaxStatementBytes || !bytes.HasPrefix(s.text, []byte("INSERT")) {
		t.Fatalf("%d bytes, too long: %v, %v", len(s.text), s.tooLong, err)
	}
	if s, err = reader.next(); err != nil || s.tooLong || string(s.text) != "b" {
		t.Errorf("got %q, %v", s.text, err)
	}
	exact := io.MultiReader(io.LimitReader(zeros{}, MaxStatementBytes-1), strings.NewReader(";"))
	if s, err = newStatementReader(exact).next(); err != nil || s.tooLong || len(s.text) != MaxStatementBytes-1 {
		t.Errorf("%d bytes, too long: %v, %v", len(s.text), s.tooLong, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}
