package export

import (
	"database/sql"
	"encoding/json"
	"math"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

func sqlite(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestLiteralsAreReadAsTheyWere(t *testing.T) {
	db := sqlite(t)
	for literal, value := range map[string]any{
		"NULL": nil, "7": int64(7), "-9223372036854775808": int64(math.MinInt64), "1": true, "0": false,
		"0.5": 0.5, "3.0": 3.0, "1e+300": 1e300, "'{\"a\":1}'": json.RawMessage(`{"a":1}`), "'it''s'": "it's", "''": "",
		`replace('a\nb','\n',char(10))`:                          "a\nb",
		`replace('a\n0b\n','\n0',char(10))`:                      "a\nb\\n",
		`replace(replace('a\r\nb','\r',char(13)),'\n',char(10))`: "a\r\nb",
		`replace(replace('\0\n','\0',char(0)),'\n',char(10))`:    "\x00\n",
		`replace('\r0\r\r1','\r0',char(13))`:                     "\r\\r\\r1",
	} {
		if got := string(appendLiteral(nil, value)); got != literal {
			t.Errorf("%#v is written %s, want %s", value, got, literal)
		}
	}
	for _, value := range []any{nil, int64(7), 0.5, 3.0, 1e300, -1e-300, "it's", "\x00", "\\n\n\\n0\n\r\\r"} {
		var got any
		if err := db.QueryRow("SELECT " + string(appendLiteral(nil, value))).Scan(&got); err != nil || got != value {
			t.Errorf("%#v came back as %#v (%v)", value, got, err)
		}
	}
	for _, value := range []float64{math.Inf(1), math.NaN()} {
		if got := string(appendLiteral(nil, value)); got != "NULL" {
			t.Errorf("%v is written %s", value, got)
		}
	}
}

// FuzzText: whatever a text says, SQLite reads it back, and no control stands in the
// dump.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "'", "\n", "\\n\n", "\r\n\x00", "\\n0\n\\n1\n", "'); DROP TABLE user; --", "\\\n\\r\r\\0\x00n"} {
		f.Add(seed)
	}
	db := sqlite(f)
	f.Fuzz(func(t *testing.T, text string) {
		literal := string(appendText(nil, text))
		if strings.ContainsAny(literal, "\r\n\x00") {
			t.Fatalf("a control stands in %q", literal)
		}
		var got []byte
		if err := db.QueryRow("SELECT CAST(" + literal + " AS BLOB)").Scan(&got); err != nil || string(got) != text {
			t.Fatalf("%q came back as %q from %s (%v)", text, got, literal, err)
		}
	})
}
