package apikeys

import (
	"slices"
	"strings"
	"testing"
)

func TestParseScopes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		names []string
		want  []string
	}{
		{"one", []string{"gateway"}, []string{"gateway"}},
		{"all, in another order", []string{"wallet:charge", "gateway", "wallet:read"}, []string{"gateway", "wallet:read", "wallet:charge"}},
		{"repeated", []string{"wallet:read", "wallet:read"}, []string{"wallet:read"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			scopes, err := ParseScopes(test.names)
			if err != nil {
				t.Fatal(err)
			}
			if got := scopes.Strings(); !slices.Equal(got, test.want) {
				t.Fatalf("got %v, want %v", got, test.want)
			}
			for _, scope := range allScopes {
				if scopes.Has(scope) != slices.Contains(test.want, string(scope)) {
					t.Errorf("Has(%s) is %v", scope, scopes.Has(scope))
				}
			}
			if again, err := ParseScopes(scopes.Strings()); err != nil || again != scopes {
				t.Errorf("read back as %s, %v", again, err)
			}
		})
	}
}

func TestParseScopesRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		names []string
		shown string // what the error must repeat
	}{
		{"unknown", []string{"gateway", "wallet:write"}, `"wallet:write"`},
		{"empty name", []string{""}, `""`},
		{"another case", []string{"Gateway"}, `"Gateway"`},
		{"a star", []string{"*"}, `"*"`},
		{"a joined list", []string{"gateway,wallet:read"}, `"gateway,wallet:read"`},
		{"an empty list", []string{}, "at least one"},
		{"no list", nil, "at least one"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			scopes, err := ParseScopes(test.names)
			if err == nil || scopes != 0 {
				t.Fatalf("got %s, %v", scopes, err)
			}
			for _, part := range []string{test.shown, "gateway, wallet:read, wallet:charge"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %s", err, part)
				}
			}
		})
	}
}

func TestParseScopesRepeatsLittleOfALongName(t *testing.T) {
	t.Parallel()
	_, err := ParseScopes([]string{strings.Repeat("x", 1<<20)})
	if err == nil || len(err.Error()) > 200 {
		t.Fatalf("the error has %d bytes", len(err.Error()))
	}
}

func TestDefaultScopes(t *testing.T) {
	t.Parallel()
	if got := DefaultScopes().String(); got != "gateway, wallet:read" {
		t.Fatalf("got %s", got)
	}
	if DefaultScopes().Has(ScopeWalletCharge) {
		t.Fatal("a default key may charge")
	}
}

func TestUnknownScopeIsInNoSet(t *testing.T) {
	t.Parallel()
	everything := Scopes(255)
	for _, scope := range []Scope{"", "admin", "wallet"} {
		if everything.Has(scope) {
			t.Errorf("the full set has %q", scope)
		}
	}
	if Scopes(0).Has(ScopeGateway) {
		t.Error("the empty set has a scope")
	}
}
