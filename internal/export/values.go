package export

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Forms of an instant: as PocketBase stores it, as the original does.
const (
	storedTime  = "2006-01-02 15:04:05.000Z"
	writtenTime = "2006-01-02T15:04:05.000Z"
)

// convert gives a stored value the form that it has outside: nil, string, int64,
// float64, bool, or json.RawMessage.
func (k kind) convert(stored any) (any, error) {
	if blob, ok := stored.([]byte); ok {
		stored = string(blob)
	}
	if stored == nil {
		if k == name {
			return "", nil
		}
		return nil, nil
	}
	switch k {
	case flag:
		return truth(stored)
	case count, ratio:
		return number(stored)
	}
	text, ok := stored.(string)
	if !ok {
		return nil, fmt.Errorf("%v (%T) is no text", stored, stored)
	}
	if text == "" && k != name {
		return nil, nil
	}
	switch k {
	case instant:
		return strings.Replace(text, " ", "T", 1), nil
	case seconds:
		at, err := time.Parse(storedTime, text)
		return at.Unix(), err
	case object:
		return json.RawMessage(text), nil
	}
	return text, nil
}

func truth(stored any) (any, error) {
	switch value := stored.(type) {
	case bool:
		return value, nil
	case int64:
		return value != 0, nil
	case float64:
		return value != 0, nil
	}
	return nil, fmt.Errorf("%v (%T) is neither true nor false", stored, stored)
}

// number keeps whole numbers whole. Those of an archive are JSON's.
func number(stored any) (any, error) {
	switch value := stored.(type) {
	case int64, float64:
		return value, nil
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole, nil
		}
		return value.Float64()
	}
	return nil, fmt.Errorf("%v (%T) is no number", stored, stored)
}
