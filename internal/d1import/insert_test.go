package d1import

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// readInsert returns the rows of an INSERT as Go text.
func readInsert(text string) (head insertHead, rows []string, isInsert bool, err error) {
	isInsert, err = parseInsert([]byte(text), func(h insertHead) bool {
		head = h
		return true
	}, func(values []any) error {
		rows = append(rows, fmt.Sprintf("%#v", values))
		return nil
	})
	return head, rows, isInsert, err
}

func TestValues(t *testing.T) {
	for _, test := range []struct {
		text string
		want any
	}{
		{`NULL`, nil}, {`null`, nil}, {`TRUE`, int64(1)}, {`false`, int64(0)},
		{`0`, int64(0)}, {`-1`, int64(-1)}, {`+5`, int64(5)}, {`- 5`, int64(-5)}, {`--5`, int64(5)},
		{`9223372036854775807`, int64(math.MaxInt64)}, {`-9223372036854775808`, int64(math.MinInt64)},
		{`9223372036854775808`, 9223372036854775808.0},
		{`1.5`, 1.5}, {`.5`, .5}, {`-2.`, -2.0}, {`1e3`, 1e3}, {`1.5E-3`, 1.5e-3}, {`1e+2`, 1e2},
		{`9.0e+999`, math.Inf(1)}, {`-9.0e+999`, math.Inf(-1)},
		{`0x1F`, int64(31)}, {`-0x1f`, int64(-31)}, {`0xffffffffffffffff`, int64(-1)},
		{`''`, ``}, {`'a'`, `a`}, {`'it''s'`, `it's`}, {`''''`, `'`}, {`'a'';''b'`, `a';'b`},
		{"'two\nlines'", "two\nlines"}, {`'日本 ü'`, `日本 ü`}, {`'\n'`, `\n`},
		{`X''`, []byte{}}, {`X'00ff'`, []byte{0, 255}}, {`x'4A'`, []byte("J")},
		{`"old"`, `old`}, {`('a')`, `a`}, {`((1))`, int64(1)},
		{`replace('a\nb','\n',char(10))`, "a\nb"}, {`REPLACE ( 'aXbX' , 'X' , '' )`, `ab`},
		{`replace(replace('a\r\nb','\r',char(13)),'\n',char(10))`, "a\r\nb"},
		{`replace('a','','b')`, `a`}, {`replace(NULL,'a','b')`, nil},
		{`char()`, ``}, {`char(72,105)`, `Hi`}, {`char(8364)`, `€`}, {`char(-1)`, "\uFFFD"},
		{`unistr('a\000ab')`, "a\nb"}, {`unistr('\u20ac\+01F600\U0001f600\\')`, "€😀😀\\"}, {`unistr(NULL)`, nil},
		{`'a'||'b'`, `ab`}, {`'a' || char(10) || 1`, "a\n1"}, {`'a'||NULL`, nil},
	} {
		_, rows, _, err := readInsert("INSERT INTO t VALUES(" + test.text + ")")
		if want := fmt.Sprintf("%#v", []any{test.want}); err != nil || len(rows) != 1 || rows[0] != want {
			t.Errorf("%s: got %v, %v; want %s", test.text, rows, err, want)
		}
	}
}

func TestInserts(t *testing.T) {
	for _, test := range []struct {
		text, head string
		rows       int
	}{
		{`INSERT INTO "t" VALUES(1)`, "t []", 1},
		{"insert into `t` values ( 1 , 2 )", "t []", 1},
		{`INSERT INTO [t] VALUES(1)`, "t []", 1},
		{`INSERT INTO t(a, "b b", [C])VALUES(1,2,3)`, "t [a b b c]", 1},
		{`INSERT INTO t VALUES(1),(2) , (3)`, "t []", 3},
		{"INSERT\nINTO\tt\nVALUES\n(1),\n(2)", "t []", 2},
		{`INSERT OR IGNORE INTO t VALUES(1)`, "t []", 1},
		{`REPLACE INTO t VALUES(1)`, "t []", 1},
		{`INSERT INTO main.t VALUES(1)`, "t []", 1},
		{`INSERT INTO "a""b" VALUES(1)`, `a"b []`, 1},
	} {
		head, rows, isInsert, err := readInsert(test.text)
		if test.rows == 3 && strings.Join(rows, "") != "[]interface {}{1}[]interface {}{2}[]interface {}{3}" {
			t.Errorf("%s: got %v", test.text, rows)
		}
		if got := fmt.Sprint(head.table, " ", head.columns); err != nil || !isInsert || got != test.head || len(rows) != test.rows {
			t.Errorf("%s: got %s with %d rows, %v", test.text, got, len(rows), err)
		}
	}
}

// Nothing that a dump does not use is guessed at.
func TestUnreadableInserts(t *testing.T) {
	deep := strings.Repeat("(", maxExpressionDepth+1) + "1" + strings.Repeat(")", maxExpressionDepth+1)
	bomb := "'" + strings.Repeat("a", 5_000) + "'"
	for _, text := range []string{
		`INSERT`, `INSERT INTO`, `INSERT INTO t`, `INSERT INTO t VALUES`, `INSERT INTO t VALUES(`, `INSERT INTO t VALUES()`,
		`INSERT INTO t VALUES(1`, `INSERT INTO t VALUES(1,)`, `INSERT INTO t VALUES(1) garbage`, `INSERT INTO t VALUES(1),`,
		`INSERT INTO t VALUES(1)(2)`, `INSERT INTO t VALUES(a)`, `INSERT INTO t VALUES('a)`, `INSERT INTO t VALUES(1 2)`,
		`INSERT INTO t SELECT 1`, `INSERT INTO t DEFAULT VALUES`, `INSERT INTO t(a VALUES(1)`, `INSERT INTO t() VALUES(1)`,
		`INSERT INTO t VALUES(load_extension('x'))`, `INSERT INTO t VALUES(randomblob(9))`, `INSERT INTO t VALUES(X'0')`, `INSERT INTO t VALUES(X'zz')`,
		`INSERT INTO t VALUES(1.2.3)`, `INSERT INTO t VALUES(1a)`, `INSERT INTO t VALUES(0x)`, `INSERT INTO t VALUES(-)`, `INSERT INTO t VALUES(1_0)`,
		`INSERT INTO t VALUES(1),(2),(3`, `INSERT INTO t VALUES(1),(2) garbage`, `INSERT INTO t VALUES(1),(2),'x'`,
		`INSERT INTO t VALUES(0x1p4)`, `INSERT INTO t VALUES(-inf)`,
		`INSERT INTO t VALUES(replace('a'))`, `INSERT INTO t VALUES(unistr('\12'))`, `INSERT INTO t VALUES(unistr('\zzzz'))`, `INSERT INTO t VALUES(unistr('\'))`,
		`INSERT INTO t VALUES(` + deep + `)`,
		`INSERT INTO t VALUES(replace(` + bomb + `,'a',` + bomb + `))`,
		`INSERT INTO t VALUES(` + strings.Repeat("1,", maxColumns) + `1)`,
	} {
		_, rows, isInsert, err := readInsert(text)
		if err == nil || !isInsert || len(rows) > 0 {
			t.Errorf("%.60s: got %v", text, rows)
		}
	}
}

// The text of a statement may be a secret, wherever the reader stumbles over it.
func TestErrorsQuoteNothing(t *testing.T) {
	const secret = "5ecre7"
	for _, text := range []string{
		`INSERT INTO t VALUES('it's 5ecre7')`, `INSERT INTO t VALUES(1 '5ecre7')`, `INSERT INTO t VALUES(5ecre7)`, `INSERT INTO t VALUES(x5ecre7)`, `INSERT INTO t VALUES(x5ecre7(1))`,
		`INSERT INTO t VALUES(unistr('\5ecre7'))`, `INSERT INTO t VALUES(unistr('\U5ecre7ff'))`, `INSERT INTO t VALUES(0x5ecre7)`, `INSERT INTO t VALUES(X'5ecre7')`, `INSERT INTO t VALUES(1)'5ecre7'`,
		`INSERT INTO t '5ecre7'`, `INSERT '5ecre7'`, `INSERT INTO t(a '5ecre7')`, `INSERT INTO t VALUES(replace('5ecre7'))`, `INSERT INTO t VALUES('a'||5ecre7)`,
	} {
		if _, _, _, err := readInsert(text); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	for _, text := range []string{`CREATE TABLE t '5ecre7'`, `CREATE TABLE t (a DEFAULT '5ecre7`, `CREATE TABLE '5ecre7`, `CREATE TABLE t (, '5ecre7')`} {
		if _, _, err := parseCreate([]byte(text)); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestOtherStatementsAreNoInserts(t *testing.T) {
	for _, text := range []string{"", "PRAGMA x", "INSERTED INTO t VALUES(1)", "CREATE TABLE t(a)", "DELETE FROM t", "BEGIN TRANSACTION", "'INSERT'"} {
		if _, rows, isInsert, err := readInsert(text); isInsert || err != nil || len(rows) > 0 {
			t.Errorf("%q: an insert: %v, %v", text, isInsert, err)
		}
	}
}

func TestCreateTable(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"CREATE TABLE t(a)", "t [a]"},
		{"CREATE TABLE IF NOT EXISTS \"t\" (\"A\" text, `b` integer DEFAULT (strftime('%Y,%m','now')) NOT NULL)", "t [a b]"},
		{"CREATE TABLE t (a int, PRIMARY KEY(a,b), FOREIGN KEY (`a`) REFERENCES `user`(`id`) ON DELETE cascade)", "t [a]"},
		{"CREATE TABLE t (a DEFAULT ')', CONSTRAINT c UNIQUE (a), CHECK (a in (1,2)), unique(a)) STRICT", "t [a]"},
		{"CREATE TEMP TABLE main.t(a,b,c)", "t [a b c]"},
		{"create table t(\n\ta text -- x\n)", "t [a]"},
		{"CREATE TABLE t(primary_key, checked)", "t [primary_key checked]"},
	} {
		text := strings.ReplaceAll(test.text, " -- x", "") // comments are gone by then
		shape, isCreate, err := parseCreate([]byte(text))
		if got := fmt.Sprint(shape.table, " ", shape.columns); err != nil || !isCreate || got != test.want {
			t.Errorf("%s: got %s, %v, %v", test.text, got, isCreate, err)
		}
	}
	for _, text := range []string{"CREATE TABLE", "CREATE TABLE t", "CREATE TABLE t(", "CREATE TABLE t(a", "CREATE TABLE t(a,)", "CREATE TABLE t(a DEFAULT '"} {
		if shape, isCreate, err := parseCreate([]byte(text)); err == nil || !isCreate {
			t.Errorf("%s: got %v", text, shape)
		}
	}
	for _, text := range []string{"CREATE INDEX i ON t(a)", "CREATE UNIQUE INDEX i ON t(a)", "CREATE VIEW v AS SELECT 1", "INSERT INTO t VALUES(1)"} {
		if _, isCreate, err := parseCreate([]byte(text)); isCreate || err != nil {
			t.Errorf("%s: a table, %v", text, err)
		}
	}
}
