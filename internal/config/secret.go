package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// redacted stands for every secret wherever one would be printed.
const redacted = "[redacted]"

// Secret is a text that no verb, encoder or logger prints. The zero Secret is
// unset.
type Secret struct {
	// text is behind a pointer because fmt cannot call the methods of a Secret
	// inside another type's unexported field; it then prints this address. It
	// must be a pointer to a string: fmt follows one to an array or a slice.
	text *string
}

var (
	_ fmt.Formatter          = Secret{}
	_ fmt.Stringer           = Secret{}
	_ fmt.GoStringer         = Secret{}
	_ json.Marshaler         = Secret{}
	_ encoding.TextMarshaler = Secret{}
	_ slog.LogValuer         = Secret{}
)

// NewSecret returns a secret of a text; "" gives an unset one.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// IsSet reports whether there is a secret.
func (s Secret) IsSet() bool { return s.text != nil }

// Bytes returns a copy of the secret in clear, nil when it is unset.
func (s Secret) Bytes() []byte {
	if s.text == nil {
		return nil
	}
	return []byte(*s.text)
}

// String returns [redacted], set or not.
func (s Secret) String() string { return redacted }

// GoString returns [redacted], set or not.
func (s Secret) GoString() string { return redacted }

// Format writes [redacted] whatever the verb.
func (s Secret) Format(state fmt.State, _ rune) { io.WriteString(state, redacted) }

// MarshalJSON returns "[redacted]", set or not.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns [redacted], set or not.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [redacted], set or not.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
