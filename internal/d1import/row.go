package d1import

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sokuji/internal/ledger"
)

// row is a row of the dump. Its readers take what is there for what it must mean,
// and note where that is not what it says.
type row struct {
	table  *table
	index  map[string]int
	values []any // in the order of the table's columns
	notes  []string
}

func (r *row) note(format string, arguments ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, arguments...))
}

func (r *row) value(column string) any {
	index, known := r.index[column]
	if !known {
		panic("d1import: no column " + column + " in " + r.table.name)
	}
	return r.values[index]
}

// text is empty for NULL.
func (r *row) text(column string) string {
	text := textOf(r.value(column))
	if !utf8.ValidString(text) {
		r.note("%s is not UTF-8: the other bytes were left out", column)
		text = strings.ToValidUTF8(text, "")
	}
	return text
}

// bounded is a text that may be cut.
func (r *row) bounded(column string, maxBytes int) string {
	text := r.text(column)
	if len(text) > maxBytes {
		r.note("%s is longer than %d bytes: it was cut", column, maxBytes)
		text = cut(text, maxBytes)
	}
	return text
}

// event is the id of an external event, by which payments are told apart. One that
// cannot be kept as it is ends in a hash of all of it, for two that begin alike are
// two payments.
func (r *row) event(column string) string {
	whole := textOf(r.value(column))
	if len(whole) <= ledger.MaxExternalEventBytes && utf8.ValidString(whole) {
		return whole
	}
	r.note("%s is longer than %d bytes, or not UTF-8: its end was replaced by a hash of the whole", column, ledger.MaxExternalEventBytes)
	return hashedEnd(whole, ledger.MaxExternalEventBytes)
}

// hashedEnd is the beginning of a text, and a hash of all of it.
func hashedEnd(text string, maxBytes int) string {
	sum := sha256.Sum256([]byte(text))
	end := "#" + hex.EncodeToString(sum[:])
	return cut(strings.ToValidUTF8(text, ""), maxBytes-len(end)) + end
}

// cut shortens a text to whole characters.
func cut(text string, maxBytes int) string {
	if len(text) <= maxBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxBytes], "")
}

// tokens is a whole number; ok is false for anything that is none, NULL included.
// Fractions are rounded down.
func (r *row) tokens(column string) (number int64, ok bool) {
	switch value := r.value(column).(type) {
	case int64:
		return value, true
	case float64:
		return r.floor(column, value)
	case string:
		text := strings.TrimSpace(value)
		if number, err := strconv.ParseInt(text, 10, 64); err == nil {
			r.note("%s is a text: it was taken for the number that it spells", column)
			return number, true
		}
		if number, err := strconv.ParseFloat(text, 64); err == nil && !strings.ContainsAny(text, "xXpP_") {
			r.note("%s is a text: it was taken for the number that it spells", column)
			return r.floor(column, number)
		}
	}
	return 0, false
}

func (r *row) floor(column string, number float64) (int64, bool) {
	const largest = 1 << 62 // every float64 up to it is an int64
	if math.IsNaN(number) || math.Abs(number) > largest {
		return 0, false
	}
	if whole := math.Floor(number); whole != number {
		r.note("%s is a fraction: it was rounded down", column)
		return int64(whole), true
	}
	return int64(number), true
}

// count is a number of tokens, calls or cents: 0 for NULL, and for what is none.
func (r *row) count(column string) int64 {
	if r.value(column) == nil {
		return 0
	}
	number, ok := r.tokens(column)
	if !ok || number < 0 || number > ledger.MaxAmountTokens {
		r.note("%s is no number from 0 to 10^15: 0 was taken", column)
		return 0
	}
	return number
}

// countOr is a number that has a default.
func (r *row) countOr(column string, fallback int64) int64 {
	if r.value(column) == nil {
		return fallback
	}
	return r.count(column)
}

// flag is what JavaScript or SQLite takes for true.
func (r *row) flag(column string) bool {
	switch strings.ToLower(strings.TrimSpace(textOf(r.value(column)))) {
	case "", "0", "0.0", "false":
		return false
	case "1", "1.0", "true":
		return true
	}
	r.note("%s is neither true nor false: it was taken for true", column)
	return true
}

// ratio is a decimal number as text, empty for NULL.
func (r *row) ratio(column string) string {
	value := r.value(column)
	if value == nil {
		return ""
	}
	number, err := strconv.ParseFloat(strings.TrimSpace(textOf(value)), 64)
	if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
		r.note("%s is no number: it was left out", column)
		return ""
	}
	return strconv.FormatFloat(number, 'g', -1, 64)
}

// json is JSON as it stands there, or nothing. A text that is no JSON becomes a
// JSON text, so that it is not lost.
func (r *row) json(column string) json.RawMessage {
	text := r.text(column)
	if strings.TrimSpace(text) == "" {
		return nil
	}
	if len(text) > maxJSONBytes {
		r.note("%s is longer than %d bytes: it was left out", column, maxJSONBytes)
		return nil
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	r.note("%s is not JSON: it was kept as a text", column)
	quoted, err := json.Marshal(text)
	if err != nil {
		panic("d1import: a text does not encode: " + err.Error())
	}
	return quoted
}

// instant is a time, or the fallback, with a note, when there is none.
func (r *row) instant(column string, fallback time.Time) time.Time {
	at, ok := parseInstant(r.value(column))
	if ok {
		return at
	}
	r.note("%s is no time: another was taken", column)
	return fallback
}

// instantOr is a time that may be missing.
func (r *row) instantOr(column string, fallback time.Time) time.Time {
	if r.value(column) == nil {
		return fallback
	}
	return r.instant(column, fallback)
}

// maybeInstant is the zero time where there is none.
func (r *row) maybeInstant(column string) time.Time {
	at, ok := parseInstant(r.value(column))
	if !ok && r.value(column) != nil {
		r.note("%s is no time: it was left out", column)
	}
	return at
}

// Numbers of this size are seconds, milliseconds or microseconds since 1970: the
// same instants, from 1973 to 5138, never have the same length.
const (
	firstMilliseconds = 100_000_000_000
	firstMicroseconds = firstMilliseconds * 1_000
)

var instantLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04Z07:00", "2006-01-02 15:04", time.DateOnly,
}

// parseInstant reads a number or a text as a time in UTC, in whole milliseconds,
// of the years 1970 to 9999.
func parseInstant(value any) (time.Time, bool) {
	switch value := value.(type) {
	case int64:
		return fromNumber(value)
	case float64:
		if math.Abs(value) < 1<<62 {
			return fromNumber(int64(value))
		}
	case string:
		text := strings.TrimSpace(value)
		if number, err := strconv.ParseInt(text, 10, 64); err == nil {
			return fromNumber(number)
		}
		for _, layout := range instantLayouts {
			if at, err := time.Parse(layout, text); err == nil {
				return plausible(at)
			}
		}
	}
	return time.Time{}, false
}

func fromNumber(number int64) (time.Time, bool) {
	switch {
	case number >= firstMicroseconds:
		return plausible(time.UnixMicro(number))
	case number >= firstMilliseconds:
		return plausible(time.UnixMilli(number))
	}
	return plausible(time.Unix(number, 0))
}

func plausible(at time.Time) (time.Time, bool) {
	at = at.UTC().Truncate(time.Millisecond)
	if at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}, false
	}
	return at, true
}

// subject is whose row it is.
func (r *row) subject() ledger.Subject {
	return ledger.Subject{Type: ledger.SubjectType(r.text("subject_type")), ID: r.text("subject_id")}
}

// id is the row's own, for the report.
func (r *row) id() string {
	if r.table.rowID == "" {
		return r.text("subject_type") + "/" + r.text("subject_id")
	}
	return textOf(r.value(r.table.rowID))
}

// tell passes the notes on to the report.
func (r *row) tell(report *TableReport) {
	for _, note := range r.notes {
		report.note(note, r.id())
	}
	r.notes = nil
}
