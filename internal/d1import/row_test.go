package d1import

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestInstants(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string // empty: it is no time
	}{
		{int64(1795416104), "2026-11-23 06:41:44.000Z"}, {int64(1795416104123), "2026-11-23 06:41:44.123Z"}, {int64(1795416104123456), "2026-11-23 06:41:44.123Z"},
		{1795416104.9, "2026-11-23 06:41:44.000Z"}, {"1795416104", "2026-11-23 06:41:44.000Z"}, {int64(0), "1970-01-01 00:00:00.000Z"},
		{"2026-11-23T06:41:44.392Z", "2026-11-23 06:41:44.392Z"}, {"2026-11-23T06:41:44.3929Z", "2026-11-23 06:41:44.392Z"}, {"2026-11-23T06:41:44", "2026-11-23 06:41:44.000Z"},
		{"2026-11-23 06:41:44", "2026-11-23 06:41:44.000Z"}, {" 2026-11-23 ", "2026-11-23 00:00:00.000Z"}, {"2026-11-23T06:41Z", "2026-11-23 06:41:00.000Z"},
		{"2026-11-23T06:41:44+02:00", "2026-11-23 04:41:44.000Z"}, {"2026-11-23 06:41:44.5", "2026-11-23 06:41:44.500Z"},
		{nil, ""}, {"", ""}, {"soon", ""}, {"2026-13-01", ""}, {int64(-1), ""}, {int64(math.MaxInt64), ""}, {math.NaN(), ""}, {math.Inf(1), ""}, {[]byte("x"), ""}, {"0001-01-01T00:00:00Z", ""},
	} {
		at, ok := parseInstant(test.value)
		if got := stored(at); ok != (test.want != "") || ok && got != test.want {
			t.Errorf("%#v: got %s, %v; want %q", test.value, got, ok, test.want)
		}
	}
}

// walletRow is a row of wallets with one balance.
func walletRow(balance any) *row {
	t := tableNamed("wallets")
	r := &row{table: t, index: t.places, values: make([]any, len(t.columns))}
	r.values[t.places["balance_tokens"]] = balance
	return r
}

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		value any
		want  int64
		ok    bool
		note  string
	}{
		{int64(-5), -5, true, ""}, {5.0, 5, true, ""}, {5.9, 5, true, "rounded down"}, {-5.1, -6, true, "rounded down"},
		{"42", 42, true, "is a text"}, {" -42 ", -42, true, "is a text"}, {"4.2e1", 42, true, "is a text"}, {"1.5", 1, true, "rounded down"},
		{int64(math.MaxInt64), math.MaxInt64, true, ""},
		{nil, 0, false, ""}, {"", 0, false, ""}, {"x", 0, false, ""}, {"0x10", 0, false, ""}, {"1_000", 0, false, ""}, {"NaN", 0, false, ""}, {"inf", 0, false, ""},
		{math.NaN(), 0, false, ""}, {math.Inf(-1), 0, false, ""}, {1e300, 0, false, ""}, {[]byte("5"), 0, false, ""},
	} {
		r := walletRow(test.value)
		got, ok := r.tokens("balance_tokens")
		if ok != test.ok || ok && got != test.want || !strings.Contains(strings.Join(r.notes, "; "), test.note) || test.note == "" && ok && len(r.notes) > 0 {
			t.Errorf("%#v: got %d, %v, %q", test.value, got, ok, r.notes)
		}
	}
}

func TestCountsAndFlagsAndRatios(t *testing.T) {
	for value, want := range map[any]string{
		nil: "0 7 false ", int64(3): "3 3 true 3", "1": "1 1 true 1", "0": "0 0 false 0", "true": "0 0 true ", "FALSE": "0 0 false ", 0.6: "0 0 true 0.6",
		int64(-3): "0 0 true -3", int64(math.MaxInt64): "0 0 true 9.223372036854776e+18", "NaN": "0 0 true ", "": "0 0 false ",
	} {
		r := walletRow(value)
		const column = "balance_tokens"
		if got := fmt.Sprint(r.count(column), r.countOr(column, 7), r.flag(column), " ", r.ratio(column)); strings.Replace(got, "  ", " ", 1) != want {
			t.Errorf("%#v: got %q, want %q", value, got, want)
		}
	}
}

func TestTextsAreCutBetweenCharacters(t *testing.T) {
	r := walletRow(strings.Repeat("日", 100))
	if got := r.bounded("balance_tokens", 10); got != "日日日" || len(r.notes) != 1 {
		t.Errorf("got %q, %q", got, r.notes)
	}
	r = walletRow("a\xffb")
	if got := r.text("balance_tokens"); got != "ab" || len(r.notes) != 1 {
		t.Errorf("got %q, %q", got, r.notes)
	}
}

func TestReportsAreBounded(t *testing.T) {
	report := &TableReport{}
	const reasons, rows = maxReasons + 50, 30
	for n := range reasons {
		for m := range rows {
			report.skip(fmt.Sprint("reason ", n), fmt.Sprint(m))
		}
	}
	total := int64(0)
	for _, reason := range report.Why {
		total += reason.Count
		if len(reason.Examples) != maxExamples {
			t.Errorf("%s has %d examples", reason.Text, len(reason.Examples))
		}
	}
	if len(report.Why) != maxReasons+1 || total != reasons*rows || report.Skipped != total || report.Why[maxReasons].Text != otherReasons {
		t.Errorf("%d reasons for %d of %d rows", len(report.Why), total, report.Skipped)
	}
}

func TestRowsWithoutATimeComeLast(t *testing.T) {
	if milliseconds("soon") <= milliseconds("9999-12-31T23:59:59.999Z") || milliseconds(int64(1)) != time.Second.Milliseconds() {
		t.Error("the order is wrong")
	}
}
