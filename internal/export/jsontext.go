package export

import (
	"bytes"
	"encoding/json"
	"math"
)

// appendObject writes a row as a JSON object on one line, in the order of its
// columns. Text that a JSON column holds and that is none comes as a string.
func appendObject(line *bytes.Buffer, columns []column, values []any) error {
	encoder := json.NewEncoder(line)
	encoder.SetEscapeHTML(false)
	line.WriteByte('{')
	for i, column := range columns {
		if i > 0 {
			line.WriteByte(',')
		}
		line.WriteByte('"')
		line.WriteString(column.name) // a name of ours, which needs no escapes
		line.WriteString(`":`)
		if raw, ok := values[i].(json.RawMessage); ok {
			if json.Valid(raw) {
				if err := json.Compact(line, raw); err != nil {
					return err
				}
				continue
			}
			values[i] = string(raw)
		}
		if number, ok := values[i].(float64); ok && (math.IsInf(number, 0) || math.IsNaN(number)) {
			values[i] = nil
		}
		if err := encoder.Encode(values[i]); err != nil {
			return err
		}
		line.Truncate(line.Len() - 1) // the encoder's line break
	}
	line.WriteByte('}')
	return nil
}
