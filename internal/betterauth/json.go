package betterauth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// timeLayout is what JavaScript's Date.prototype.toISOString prints: always UTC,
// always three decimals.
const timeLayout = "2006-01-02T15:04:05.000Z"

// Time is a point in time that marshals as JavaScript prints it:
// "2026-11-23T05:36:25.902Z". What is finer than a millisecond is cut off.
type Time time.Time

// String returns the time as it stands in JSON, without quotes.
func (t Time) String() string {
	return time.Time(t).UTC().Format(timeLayout)
}

// MarshalJSON fails for years outside 0..9999, which the format cannot hold.
func (t Time) MarshalJSON() ([]byte, error) {
	if year := time.Time(t).UTC().Year(); year < 0 || year > 9999 {
		return nil, fmt.Errorf("betterauth: the year %d does not fit a timestamp", year)
	}
	return []byte(`"` + t.String() + `"`), nil
}

// Encode returns value as JSON with no newline at its end. Unlike json.Marshal it
// leaves "<", ">" and "&" alone, as JSON.stringify does: names and messages
// contain them.
func Encode(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("betterauth: encoding an answer: %w", err)
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}
