package statement

import (
	"bufio"
	"encoding/json"
	"strconv"
	"strings"

	"sokuji/internal/ledger"
)

// jsonEncoder writes one object, an entry a line:
//
//	{"format":"sokuji statement v1","subjectType":"user","subjectId":"…","from":null,"to":null,
//	"opening":{"balance":0,"seq":0,"hash":"0…"},
//	"entries":[
//	{"id":"…",…}
//	],
//	"closing":{"balance":5,"seq":1,"hash":"…"}}
//
// The keys come in this order, so that a reader needs to keep nothing.
type jsonEncoder struct {
	w    *bufio.Writer
	more bool // an entry was written
}

func (j *jsonEncoder) open(h Header) error {
	return j.write(`{"format":`, quoted(Title),
		`,"subjectType":`, quoted(string(h.Subject.Type)), `,"subjectId":`, quoted(h.Subject.ID),
		`,"from":`, orNull(showTime(h.From)), `,"to":`, orNull(showTime(h.To)),
		",\n\"opening\":", pointJSON(h.Opening), ",\n\"entries\":[")
}

func (j *jsonEncoder) entry(e *ledger.Entry) error {
	line := make([]string, 0, 4*len(fields)+2)
	separator := "\n{"
	if j.more {
		separator = ",\n{"
	}
	j.more = true
	for _, f := range fields {
		line = append(line, separator, quoted(f.name), ":", f.json(e))
		separator = ","
	}
	return j.write(append(line, "}")...)
}

func (j *jsonEncoder) close(_ Header, closing Point) error {
	return j.write("\n],\n\"closing\":", pointJSON(closing), "}\n")
}

func (j *jsonEncoder) write(parts ...string) error {
	for _, part := range parts {
		if _, err := j.w.WriteString(part); err != nil {
			return err
		}
	}
	return nil
}

func (f field) json(e *ledger.Entry) string {
	value := f.show(e)
	switch f.kind {
	case kindNumber:
		return value
	case kindOptional:
		return orNull(value)
	case kindJSON:
		if value == "" {
			return "null"
		}
		return value // its bytes, because the hash covers them
	}
	return quoted(value)
}

func pointJSON(p Point) string {
	return `{"balance":` + strconv.FormatInt(p.Balance, 10) + `,"seq":` + strconv.FormatInt(p.Seq, 10) + `,"hash":` + quoted(p.Hash.String()) + `}`
}

func orNull(value string) string {
	if value == "" {
		return "null"
	}
	return quoted(value)
}

// quoted is a JSON string that leaves <, > and & as they are.
func quoted(value string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic("statement: a string does not encode: " + err.Error())
	}
	return strings.TrimSuffix(out.String(), "\n")
}
