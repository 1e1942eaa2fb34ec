package hooks

import (
	"errors"
	"testing"

	"sokuji/internal/ledger"
)

// An answer of "overloaded" leaves open whether the hold was closed; the next try
// tells. At the first try a closed hold is somebody else's doing, and an error.
func TestAClosingThatWasWrittenUnseenIsDone(t *testing.T) {
	overloaded, closed := &ledger.Error{Code: ledger.CodeOverloaded}, &ledger.Error{Code: ledger.CodeHoldNotOpen}
	for name, test := range map[string]struct {
		answers []error
		want    error
	}{
		"at once":                {[]error{nil}, nil},
		"written, but unseen":    {[]error{overloaded, closed}, nil},
		"written at the second":  {[]error{overloaded, nil}, nil},
		"unseen twice":           {[]error{overloaded, overloaded, closed}, nil},
		"closed by another":      {[]error{closed}, closed},
		"refused after overload": {[]error{overloaded, &ledger.Error{Code: ledger.CodeHoldNotFound}}, &ledger.Error{Code: ledger.CodeHoldNotFound}},
	} {
		t.Run(name, func(t *testing.T) {
			next := 0
			try := closingOnce(func() error {
				next++
				return test.answers[next-1]
			})
			var got error
			for range test.answers {
				got = try()
			}
			if ledger.CodeOf(got) != ledger.CodeOf(test.want) || errors.Is(got, nil) != (test.want == nil) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
