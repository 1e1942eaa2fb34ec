package statement

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"sokuji/internal/ledger"
)

// kind is how a field looks in JSON. In CSV all are text.
type kind int

const (
	kindText     kind = iota // a string
	kindOptional             // a string, or null for the empty text
	kindNumber               // a whole number
	kindJSON                 // whatever it is, or null for nothing
)

// field is one field of an entry, in both directions.
type field struct {
	name string
	kind kind
	show func(*ledger.Entry) string
	set  func(*ledger.Entry, string) error
}

// fields are those of the HTTP API's ledger rows, with idempotencyKey and
// requestHash, which the hash covers too.
var fields = []field{
	text("id", kindText, func(e *ledger.Entry) *string { return &e.ID }),
	number("seq", func(e *ledger.Entry) *int64 { return &e.Seq }),
	text("subjectType", kindText, func(e *ledger.Entry) *ledger.SubjectType { return &e.Subject.Type }),
	text("subjectId", kindText, func(e *ledger.Entry) *string { return &e.Subject.ID }),
	number("amountTokens", func(e *ledger.Entry) *int64 { return &e.Amount }),
	number("balanceAfter", func(e *ledger.Entry) *int64 { return &e.BalanceAfter }),
	text("eventType", kindText, func(e *ledger.Entry) *ledger.EventType { return &e.EventType }),
	text("referenceType", kindOptional, func(e *ledger.Entry) *string { return &e.ReferenceType }),
	text("referenceId", kindOptional, func(e *ledger.Entry) *string { return &e.ReferenceID }),
	text("planId", kindOptional, func(e *ledger.Entry) *string { return &e.PlanID }),
	text("externalEventId", kindOptional, func(e *ledger.Entry) *string { return &e.ExternalEventID }),
	text("idempotencyKey", kindOptional, func(e *ledger.Entry) *string { return &e.IdempotencyKey }),
	text("requestHash", kindOptional, func(e *ledger.Entry) *string { return &e.RequestHash }),
	text("description", kindOptional, func(e *ledger.Entry) *string { return &e.Description }),
	{"metadata", kindJSON, func(e *ledger.Entry) string { return string(e.Metadata) }, setMetadata},
	{"createdAt", kindText, func(e *ledger.Entry) string { return showTime(e.CreatedAt) }, setCreatedAt},
	hash("prevHash", func(e *ledger.Entry) *ledger.Hash { return &e.PrevHash }),
	hash("hash", func(e *ledger.Entry) *ledger.Hash { return &e.Hash }),
}

// fieldIndex finds a field by its name.
var fieldIndex = func() map[string]int {
	index := make(map[string]int, len(fields))
	for i, f := range fields {
		index[f.name] = i
	}
	return index
}()

func text[T ~string](name string, k kind, in func(*ledger.Entry) *T) field {
	return field{
		name: name, kind: k,
		show: func(e *ledger.Entry) string { return string(*in(e)) },
		set: func(e *ledger.Entry, value string) error {
			*in(e) = T(value)
			return nil
		},
	}
}

func number(name string, in func(*ledger.Entry) *int64) field {
	return field{
		name: name, kind: kindNumber,
		show: func(e *ledger.Entry) string { return strconv.FormatInt(*in(e), 10) },
		set: func(e *ledger.Entry, value string) (err error) {
			*in(e), err = readNumber(value)
			return err
		},
	}
}

func hash(name string, in func(*ledger.Entry) *ledger.Hash) field {
	return field{
		name: name, kind: kindText,
		show: func(e *ledger.Entry) string { return in(e).String() },
		set: func(e *ledger.Entry, value string) (err error) {
			*in(e), err = readHash(value)
			return err
		},
	}
}

func setMetadata(e *ledger.Entry, value string) error {
	if value == "" {
		e.Metadata = nil
		return nil
	}
	if !json.Valid([]byte(value)) {
		return errors.New("it is not JSON")
	}
	e.Metadata = json.RawMessage(value)
	return nil
}

func setCreatedAt(e *ledger.Entry, value string) (err error) {
	if value == "" {
		return errors.New("it is empty")
	}
	e.CreatedAt, err = readTime(value)
	return err
}

// readNumber takes the only way to write a whole number.
func readNumber(value string) (int64, error) {
	number, err := strconv.ParseInt(value, 10, 64)
	if err != nil || strconv.FormatInt(number, 10) != value {
		return 0, fmt.Errorf("%q is not a whole number", value)
	}
	return number, nil
}

func readHash(value string) (ledger.Hash, error) {
	hash, err := ledger.ParseHash(value)
	if err != nil || hash.String() != value {
		return hash, fmt.Errorf("%q is not 64 lower-case hexadecimal digits", value)
	}
	return hash, nil
}

// build makes an entry of its fields' texts.
func build(values []string) (ledger.Entry, error) {
	var e ledger.Entry
	for i, f := range fields {
		if err := f.set(&e, values[i]); err != nil {
			return e, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return e, nil
}
