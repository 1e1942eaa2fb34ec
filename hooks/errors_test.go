package hooks

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"sokuji/internal/betterauth"
	"sokuji/internal/ledger"
)

// What a client did wrong is no failure of the server's, and no error in its log.
func TestARefusalKeepsItsStatus(t *testing.T) {
	tests := map[string]struct {
		err    error
		status int
		code   string
	}{
		"Better Auth's":          {betterauth.ErrInvalidEmailOrPassword, http.StatusUnauthorized, "invalid_email_or_password"},
		"Better Auth's, wrapped": {fmt.Errorf("sign in: %w", betterauth.ErrInvalidEmailOrPassword), http.StatusUnauthorized, "invalid_email_or_password"},
		"the ledger's":           {&ledger.Error{Code: ledger.CodeOverRefund}, http.StatusConflict, "over_refund"},
		"ours":                   {unauthorized(), http.StatusUnauthorized, "unauthorized"},
		"a real failure":         {errors.New("the disk is on fire"), http.StatusInternalServerError, "internal_error"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if r := refusalOf(test.err); r.status != test.status || r.code != test.code {
				t.Errorf("got %d %s, want %d %s", r.status, r.code, test.status, test.code)
			}
		})
	}
}
