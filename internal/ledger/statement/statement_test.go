package statement_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/statement"
)

var (
	alice = ledger.UserSubject("alice0000000001")
	start = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
)

// chain builds entries that follow a point. Each text appears in one of them.
func chain(at statement.Point, texts ...string) []ledger.Entry {
	var entries []ledger.Entry
	for i, text := range texts {
		e := ledger.Entry{
			ID: fmt.Sprintf("entry%015d", at.Seq+1), Subject: alice, Seq: at.Seq + 1, Amount: int64(10 - 3*i), EventType: ledger.EventAdjust,
			ReferenceType: text, ReferenceID: text, PlanID: text, ExternalEventID: text, IdempotencyKey: text,
			Description: text, CreatedAt: start.Add(time.Duration(i) * time.Hour), PrevHash: at.Hash,
		}
		if i%2 == 0 {
			e.Metadata = json.RawMessage("{\"b\": 1,\r\n \"a\":\"<&>\"}")
		}
		e.BalanceAfter = at.Balance + e.Amount
		e.Hash = e.ComputeHash()
		entries = append(entries, e)
		at = statement.Point{Balance: e.BalanceAfter, Seq: e.Seq, Hash: e.Hash}
	}
	return entries
}

// awkward are texts that one of the forms could lose something of.
var awkward = []string{
	"", "plain", "=1+1", "'", "''=", "-5", "@x", "\t", "\r", "a\r\nb", "a\nb", `"quoted", and more`, `back\slash`, "<&>\u2028", "日本語", " ",
	"#opening", "null", "\x00",
}

func all(entries []ledger.Entry) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func write(t testing.TB, format statement.Format, h statement.Header, entries []ledger.Entry) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := statement.Write(&out, format, h, all(entries)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var formats = []statement.Format{statement.JSON, statement.CSV}

func TestAStatementHoldsInBothForms(t *testing.T) {
	before := chain(statement.Point{}, "a", "b")
	later := statement.Point{Balance: before[1].BalanceAfter, Seq: 2, Hash: before[1].Hash}
	headers := map[string]statement.Header{
		"from the beginning": {Subject: alice},
		"of a period":        {Subject: alice, From: start, To: start.AddDate(0, 1, 0), Opening: later},
	}
	for name, h := range headers {
		for _, texts := range [][]string{nil, {"one"}, awkward} {
			entries := chain(h.Opening, texts...)
			for _, format := range formats {
				document := write(t, format, h, entries)
				got, err := statement.Verify(strings.NewReader(document))
				if err != nil || got.Bad != nil {
					t.Fatalf("%s as %s with %d entries: %v, %v\n%s", name, format, len(texts), err, got.Bad, document)
				}
				closing := h.Opening
				if len(entries) > 0 {
					last := entries[len(entries)-1]
					closing = statement.Point{Balance: last.BalanceAfter, Seq: last.Seq, Hash: last.Hash}
				}
				if got.Header != h || got.Closing != closing || got.Entries != int64(len(entries)) {
					t.Errorf("%s as %s: %+v, want %+v closing with %+v", name, format, got, h, closing)
				}
			}
		}
	}
}

// Every character but the white space at the end counts: a statement in which one
// was replaced either is none, or names what is wrong with it.
func TestEveryChangeIsNoticed(t *testing.T) {
	h := statement.Header{Subject: alice}
	for _, format := range formats {
		document := write(t, format, h, chain(h.Opening, "first", "second"))
		for i := range strings.TrimSpace(document) {
			for _, other := range []byte{'1', 'x', '"', ','} {
				if document[i] == other {
					continue
				}
				changed := document[:i] + string(other) + document[i+1:]
				got, err := statement.Verify(strings.NewReader(changed))
				if err != nil || got.Bad != nil || sameRead(changed, document, format) {
					continue
				}
				// The ends of the period are not part of the chain.
				if got.From != h.From || got.To != h.To {
					continue
				}
				t.Errorf("%s: %q for %q at %d went unnoticed", format, other, document[i], i)
			}
		}
	}
}

// sameRead tells whether a general reader gets the same from both.
func sameRead(a, b string, format statement.Format) bool {
	if format == statement.CSV {
		left, errLeft := csv.NewReader(strings.NewReader(a)).ReadAll()
		right, errRight := csv.NewReader(strings.NewReader(b)).ReadAll()
		return errLeft == nil && errRight == nil && fmt.Sprint(left) == fmt.Sprint(right)
	}
	var left, right any
	return json.Unmarshal([]byte(a), &left) == nil && json.Unmarshal([]byte(b), &right) == nil && fmt.Sprint(left) == fmt.Sprint(right)
}

func TestTheFirstBadEntryIsNamed(t *testing.T) {
	entries := chain(statement.Point{}, "a", "b", "c", "d")
	third := entries[2].ID
	for name, tamper := range map[string]func([]ledger.Entry) []ledger.Entry{
		"changed": func(e []ledger.Entry) []ledger.Entry {
			e[2].Description = "x"
			return e
		},
		"changed with its hash": func(e []ledger.Entry) []ledger.Entry {
			e[1].Description = "x"
			e[1].Hash = e[1].ComputeHash()
			return e
		},
		"left out": func(e []ledger.Entry) []ledger.Entry { return append(e[:1:1], e[2:]...) },
		"swapped":  func(e []ledger.Entry) []ledger.Entry { return append(e[:1:1], e[2], e[1], e[3]) },
		"a wrong sum": func(e []ledger.Entry) []ledger.Entry {
			e[2].BalanceAfter++
			e[2].Hash = e[2].ComputeHash()
			return e
		},
		"somebody else's": func(e []ledger.Entry) []ledger.Entry {
			e[2].Subject.ID = "bob000000000001"
			e[2].Hash = e[2].ComputeHash()
			return e
		},
	} {
		tampered := tamper(append([]ledger.Entry(nil), entries...))
		var out bytes.Buffer
		_, err := statement.Write(&out, statement.JSON, statement.Header{Subject: alice}, all(tampered))
		if err == nil || !strings.Contains(err.Error(), third) {
			t.Errorf("%s: Write says %v, not that %s is wrong", name, err, third)
		}
		for _, format := range formats {
			got, err := statement.Verify(strings.NewReader(forge(t, format, tampered)))
			if err != nil || got.Bad == nil || got.Bad.EntryID != third {
				t.Errorf("%s as %s: %v, %v; want %s", name, format, got.Bad, err, third)
			}
		}
	}
}

// forge writes entries whatever they are: each comes from a document of its own.
func forge(t *testing.T, format statement.Format, entries []ledger.Entry) string {
	t.Helper()
	var lines []string
	whole := write(t, format, statement.Header{Subject: alice}, chain(statement.Point{}, "a", "b"))
	parts := strings.Split(strings.TrimSuffix(whole, "\n"), "\n")
	head, tail := 3, 2
	if format == statement.CSV {
		head, tail = 2, 1
	}
	for _, e := range entries {
		lines = append(lines, lineOf(t, format, e))
	}
	separator := ",\n"
	if format == statement.CSV {
		separator = "\n"
	}
	return strings.Join(parts[:head], "\n") + "\n" + strings.Join(lines, separator) + "\n" + strings.Join(parts[len(parts)-tail:], "\n") + "\n"
}

// lineOf is an entry as it is written. The writer only takes sound chains, so the
// entry's fields are put over those of a sound one.
func lineOf(t *testing.T, format statement.Format, e ledger.Entry) string {
	t.Helper()
	metadata := "null"
	if e.Metadata != nil {
		metadata = string(e.Metadata)
	}
	created := e.CreatedAt.Format("2006-01-02T15:04:05.000Z")
	if format == statement.CSV {
		var out strings.Builder
		w := csv.NewWriter(&out)
		_ = w.Write([]string{
			e.ID, fmt.Sprint(e.Seq), string(e.Subject.Type), e.Subject.ID, fmt.Sprint(e.Amount), fmt.Sprint(e.BalanceAfter), string(e.EventType),
			e.ReferenceType, e.ReferenceID, e.PlanID, e.ExternalEventID, e.IdempotencyKey, e.RequestHash, e.Description, string(e.Metadata),
			created, e.PrevHash.String(), e.Hash.String(),
		})
		w.Flush()
		return strings.TrimSuffix(out.String(), "\n")
	}
	return fmt.Sprintf(`{"id":%q,"seq":%d,"subjectType":%q,"subjectId":%q,"amountTokens":%d,"balanceAfter":%d,"eventType":%q,`+
		`"referenceType":%q,"referenceId":%q,"planId":%q,"externalEventId":%q,"idempotencyKey":%q,"requestHash":null,`+
		`"description":%q,"metadata":%s,"createdAt":%q,"prevHash":%q,"hash":%q}`,
		e.ID, e.Seq, e.Subject.Type, e.Subject.ID, e.Amount, e.BalanceAfter, e.EventType,
		e.ReferenceType, e.ReferenceID, e.PlanID, e.ExternalEventID, e.IdempotencyKey, e.Description, metadata, created, e.PrevHash, e.Hash)
}

func TestWhatIsNoStatementIsRefused(t *testing.T) {
	document := write(t, statement.JSON, statement.Header{Subject: alice}, chain(statement.Point{}, "a"))
	table := write(t, statement.CSV, statement.Header{Subject: alice}, chain(statement.Point{}, "a"))
	for name, test := range map[string]struct{ input, want string }{
		"nothing":          {"", "empty"},
		"other JSON":       {`{"hello":1}`, `"format"`},
		"other CSV":        {"a,b\n1,2\n", "columns"},
		"another version":  {strings.Replace(document, "v1", "v2", 1), "v2"},
		"cut off":          {document[:len(document)-3], "incomplete"},
		"cut in an entry":  {document[:400], "incomplete"},
		"without an end":   {document[:strings.Index(document, "\n]")], "incomplete"},
		"goes on":          {document + "{}", "goes on"},
		"a key twice":      {strings.Replace(document, `"seq":1`, `"seq":1,"seq":1`, 1), "twice"},
		"another key":      {strings.Replace(document, `"planId"`, `"planID"`, 1), "planID"},
		"a key is missing": {strings.Replace(document, `"requestHash":null,`, "", 1), "requestHash"},
		"a float":          {strings.Replace(document, `"amountTokens":10`, `"amountTokens":1e1`, 1), "amountTokens"},
		"number for text":  {strings.Replace(document, `"planId":"a"`, `"planId":1`, 1), "planId"},
		"too long":         {strings.Replace(document, `"planId":"a"`, `"planId":"`+strings.Repeat("a", 1<<20)+`"`, 1), "longer"},
		"CSV cut off":      {table[:len(table)-30], "incomplete"},
		"CSV without end":  {table[:strings.Index(table, "#closing")], "incomplete"},
		"CSV goes on":      {table + table, "goes on"},
		"CSV too long":     {strings.Replace(table, ",adjust,", `,adjust"`+strings.Repeat("a", 1<<20), 1), "quote"},
		"CSV endless":      {strings.Replace(table, ",adjust,", `,`+strings.Repeat("a", 1<<20), 1), "longer"},
		"CSV other title":  {strings.Replace(table, "statement v1", "statement v9", 1), "v9"},
		"CSV open quote":   {strings.Replace(table, ",adjust,", `,"adjust,`, 1), "statement"},
	} {
		_, err := statement.Verify(strings.NewReader(test.input))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q in it", name, err, test.want)
		}
	}
}

func TestASpreadsheetMayHaveSavedIt(t *testing.T) {
	document := write(t, statement.CSV, statement.Header{Subject: alice}, chain(statement.Point{}, "a", "b")[:2])
	plain := strings.ReplaceAll(strings.ReplaceAll(document, "\r\n", " "), "\n", "\r\n")
	if !strings.Contains(document, "\r\n") {
		t.Fatal("the test means to have line ends inside of a field")
	}
	// Line ends between rows may change, those inside of a field may not.
	got, err := statement.Verify(strings.NewReader("\xef\xbb\xbf" + plain))
	if err != nil || got.Bad == nil {
		t.Errorf("a changed field went unnoticed: %v, %v", got.Bad, err)
	}
	entries := chain(statement.Point{}, "a", "b")
	entries[0].Metadata = nil
	entries[0].Hash = entries[0].ComputeHash()
	document = write(t, statement.CSV, statement.Header{Subject: alice}, entries[:1])
	got, err = statement.Verify(strings.NewReader("\xef\xbb\xbf" + strings.ReplaceAll(document, "\n", "\r\n")))
	if err != nil || got.Bad != nil {
		t.Errorf("%v, %v", got.Bad, err)
	}
}

func TestACSVIsNoFormula(t *testing.T) {
	document := write(t, statement.CSV, statement.Header{Subject: alice}, chain(statement.Point{}, "=cmd()", "@x", "+1", "-x", "\tx"))
	rows, err := csv.NewReader(strings.NewReader(document)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for i, cell := range row {
			isNumber := i == 1 || i == 4 || i == 5
			if !isNumber && cell != "" && strings.ContainsAny(cell[:1], "=+-@\t") {
				t.Errorf("%q in %v", cell, row)
			}
		}
	}
}

func TestWriteRefusesWhatItCannotProve(t *testing.T) {
	bad := chain(statement.Point{}, "\xff")
	for name, test := range map[string]struct {
		header  statement.Header
		entries iter.Seq2[ledger.Entry, error]
		want    string
	}{
		"not UTF-8":                 {statement.Header{Subject: alice}, all(bad), "UTF-8"},
		"a reader's error":          {statement.Header{Subject: alice}, func(yield func(ledger.Entry, error) bool) { yield(ledger.Entry{}, errors.New("disk")) }, "disk"},
		"an opening that cannot be": {statement.Header{Subject: alice, Opening: statement.Point{Balance: 5}}, all(nil), "opening"},
		"nobody's":                  {statement.Header{}, all(nil), "nobody"},
		"a seq without a hash":      {statement.Header{Subject: alice, Opening: statement.Point{Seq: 5}}, all(nil), "opening"},
	} {
		for _, format := range formats {
			var out bytes.Buffer
			if _, err := statement.Write(&out, format, test.header, test.entries); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s as %s: %v, want %q in it", name, format, err, test.want)
			}
			if got, err := statement.Verify(&out); err == nil && got.Bad == nil {
				t.Errorf("%s as %s: what was written so far passes for a statement", name, format)
			}
		}
	}
}

func TestFormatsHaveNames(t *testing.T) {
	for name, want := range map[string]statement.Format{"json": statement.JSON, "csv": statement.CSV, "xml": "", "": ""} {
		got, err := statement.ParseFormat(name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}

// Memory must not grow with a statement, so entries are not kept.
func TestEntriesAreReadAsTheyAreWritten(t *testing.T) {
	entries := chain(statement.Point{}, make([]string, 500)...)
	read, behind := 0, 0
	var out lengthWriter
	_, err := statement.Write(&out, statement.JSON, statement.Header{Subject: alice}, func(yield func(ledger.Entry, error) bool) {
		for _, e := range entries {
			read++
			if read > 100 && out == 0 {
				behind++
			}
			if !yield(e, nil) {
				return
			}
		}
	})
	if err != nil || read != 500 || behind > 0 {
		t.Fatalf("%d entries read, %d before anything was written, %v", read, behind, err)
	}
}

type lengthWriter int

func (l *lengthWriter) Write(p []byte) (int, error) {
	*l += lengthWriter(len(p))
	return len(p), nil
}

// Whatever comes in, Verify ends, and what it accepts can be written again.
func FuzzVerify(f *testing.F) {
	for _, format := range formats {
		document := write(f, format, statement.Header{Subject: alice, To: start}, chain(statement.Point{}, awkward[:4]...))
		f.Add([]byte(document))
		f.Add([]byte(document[:len(document)/2]))
		f.Add([]byte(write(f, format, statement.Header{Subject: alice}, nil)))
	}
	f.Add([]byte("\xef\xbb\xbf{"))
	f.Add([]byte("\"a\"\"b\",\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		got, err := statement.Verify(bytes.NewReader(input))
		if err != nil || got.Bad != nil {
			return
		}
		if got.Closing.Seq-got.Opening.Seq != got.Entries {
			t.Errorf("%d entries from %d to %d", got.Entries, got.Opening.Seq, got.Closing.Seq)
		}
		if got.Entries == 0 && got.Closing != got.Opening {
			t.Errorf("without an entry it goes from %+v to %+v", got.Opening, got.Closing)
		}
	})
}
