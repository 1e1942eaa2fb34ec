package apikeys

import (
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// redacted stands for every key wherever one would be printed.
const redacted = KeyPrefix + "…"

var (
	_ fmt.Formatter          = Key{}
	_ fmt.Stringer           = Key{}
	_ fmt.GoStringer         = Key{}
	_ json.Marshaler         = Key{}
	_ encoding.TextMarshaler = Key{}
	_ slog.LogValuer         = Key{}
)

// String returns sk-sokuji-… for every key.
func (k Key) String() string { return redacted }

// GoString returns sk-sokuji-… for every key.
func (k Key) GoString() string { return redacted }

// Format writes sk-sokuji-… whatever the verb, %x and %q included.
func (k Key) Format(state fmt.State, _ rune) { io.WriteString(state, redacted) }

// MarshalJSON returns "sk-sokuji-…" for every key.
func (k Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns sk-sokuji-… for every key.
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns sk-sokuji-… for every key.
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }
