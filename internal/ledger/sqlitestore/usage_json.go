package sqlitestore

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"

	"sokuji/internal/usagearchive"
)

// leadingColumns stand before those of the table in selectOldUsage.
const leadingColumns = 1

// rowColumns are the columns of usage_logs as the table has them now, those of
// later migrations too.
type rowColumns struct {
	names  []string
	isJSON []bool
	id     int // where these two stand
	tokens int
}

func usageColumnsOf(rows *sql.Rows) (rowColumns, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return rowColumns{}, err
	}
	c := rowColumns{id: -1, tokens: -1}
	for i, column := range types[leadingColumns:] {
		c.names = append(c.names, column.Name())
		c.isJSON = append(c.isJSON, column.DatabaseTypeName() == "JSON")
		switch column.Name() {
		case "id":
			c.id = i
		case "charged_tokens":
			c.tokens = i
		}
	}
	if c.id < 0 || c.tokens < 0 {
		return c, fmt.Errorf("usage_logs has no id or no charged_tokens among %v", c.names)
	}
	return c, nil
}

// targets are where a row is scanned to; the values are the table's part of it.
func (c rowColumns) targets(leading ...any) (values, targets []any) {
	values = make([]any, len(c.names))
	targets = leading
	for i := range values {
		targets = append(targets, &values[i])
	}
	return values, targets
}

func (c rowColumns) row(values []any) (usagearchive.Row, error) {
	id, isText := values[c.id].(string)
	tokens, isInteger := values[c.tokens].(int64)
	if !isText || !isInteger {
		return usagearchive.Row{}, fmt.Errorf("usage row %v: charged_tokens %v is not a whole number", values[c.id], values[c.tokens])
	}
	text, err := c.object(values)
	if err != nil {
		return usagearchive.Row{}, fmt.Errorf("usage row %s: %w", id, err)
	}
	return usagearchive.Row{ID: id, Tokens: tokens, JSON: text}, nil
}

// object writes a row as one line, in the order of the columns.
func (c rowColumns) object(values []any) ([]byte, error) {
	var line bytes.Buffer
	for i, value := range values {
		if text, ok := value.(string); ok && c.isJSON[i] && json.Valid([]byte(text)) {
			value = json.RawMessage(text)
		}
		encoded, err := encodeJSON(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.names[i], err)
		}
		name, err := encodeJSON(c.names[i])
		if err != nil {
			return nil, err
		}
		line.WriteByte("{,"[min(i, 1)])
		line.Write(name)
		line.WriteByte(':')
		line.Write(encoded)
	}
	line.WriteByte('}')
	return line.Bytes(), nil
}

// encodeJSON leaves <, > and & as they are.
func encodeJSON(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}
