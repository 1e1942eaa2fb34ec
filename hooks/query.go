package hooks

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sokuji/internal/ledger"
)

// maxOffset bounds how many rows an offset may pass over, because each of them is
// read; cursors have no bound.
const maxOffset = 100_000

// listQuery is what a list takes from the query.
type listQuery struct {
	limit, offset int64
	cursor        string // decoded, empty when none was sent
	from, to      time.Time
}

func parseListQuery(query url.Values) (listQuery, error) {
	q := listQuery{limit: ledger.DefaultPageRows}
	var err error
	if q.limit, err = wholeNumber(query, "limit", ledger.DefaultPageRows, 1, ledger.MaxPageRows); err != nil {
		return q, err
	}
	if q.offset, err = wholeNumber(query, "offset", 0, 0, maxOffset); err != nil {
		return q, err
	}
	if q.cursor, err = decodeCursor(query); err != nil {
		return q, err
	}
	if q.from, err = instant(query, "from"); err != nil {
		return q, err
	}
	q.to, err = instant(query, "to")
	return q, err
}

func wholeNumber(query url.Values, name string, absent, least, most int64) (int64, error) {
	if !query.Has(name) {
		return absent, nil
	}
	value, err := strconv.ParseInt(query.Get(name), 10, 64)
	if err != nil || value < least || value > most {
		return 0, ledger.Invalid(name, fmt.Sprintf("%s must be a whole number from %d to %d.", name, least, most))
	}
	return value, nil
}

// instant reads RFC 3339, or a date, which means its first moment in UTC.
func instant(query url.Values, name string) (time.Time, error) {
	text := query.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return given(t.UTC()), nil
		}
	}
	return time.Time{}, ledger.Invalid(name, name+" must be a time such as 2026-11-24T08:00:00Z, or a date such as 2026-11-24.")
}

func badCursor() error {
	return ledger.Invalid("cursor", "cursor is not one of ours: send the nextCursor of the page before, or none.")
}

func decodeCursor(query url.Values) (string, error) {
	if !query.Has("cursor") || query.Get("cursor") == "" {
		return "", nil
	}
	if query.Has("offset") {
		return "", ledger.Invalid("offset", "offset and cursor exclude each other: send one of them.")
	}
	decoded, err := base64.RawURLEncoding.DecodeString(query.Get("cursor"))
	if err != nil || len(decoded) < crc32.Size {
		return "", badCursor()
	}
	sum, text := binary.BigEndian.Uint32(decoded), decoded[crc32.Size:]
	if sum != crc32.ChecksumIEEE(text) {
		return "", badCursor()
	}
	return string(text), nil
}

// encodeCursor puts a checksum in front, so that a cursor which lost a part on
// its way is refused and does not quietly mean another place.
func encodeCursor(text string) string {
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text)))
	return base64.RawURLEncoding.EncodeToString(append(sum, text...))
}

// A cursor is the letter of its list, the list's total as the first page counted
// it, and a place. The letter keeps one list's cursor from meaning something in
// another; the total saves counting again at every page.
const (
	ledgerCursor = "e" // and a seq
	usageCursor  = "u" // and milliseconds and an id
	holdsCursor  = "h" // and an id
)

func makeCursor(list string, total int64, place string) string {
	return encodeCursor(list + strconv.FormatInt(total, 10) + "." + place)
}

func parseCursor(list, cursor string) (total int64, place string, err error) {
	text, ours := strings.CutPrefix(cursor, list)
	digits, place, split := strings.Cut(text, ".")
	total, err = strconv.ParseInt(digits, 10, 64)
	if !ours || !split || err != nil || total < 0 || place == "" {
		return 0, "", badCursor()
	}
	return total, place, nil
}

func entryPlace(entry ledger.Entry) string {
	return strconv.FormatInt(entry.Seq, 10)
}

func parseEntryPlace(place string) (int64, error) {
	seq, err := strconv.ParseInt(place, 10, 64)
	if err != nil || seq < 1 {
		return 0, badCursor()
	}
	return seq, nil
}

func usagePlace(row ledger.UsageRow) string {
	return strconv.FormatInt(row.CreatedAt.UnixMilli(), 10) + "." + row.ID
}

func parseUsagePlace(place string) (ledger.UsagePosition, error) {
	millis, id, split := strings.Cut(place, ".")
	at, err := strconv.ParseInt(millis, 10, 64)
	if !split || err != nil || id == "" {
		return ledger.UsagePosition{}, badCursor()
	}
	return ledger.UsagePosition{CreatedAt: time.UnixMilli(at).UTC(), ID: id}, nil
}
