package apikeys

import (
	"fmt"
	"strings"
)

// Scope names what a key may do.
type Scope string

// The scopes.
const (
	// ScopeGateway opens the metered proxy, /v1.
	ScopeGateway Scope = "gateway"
	// ScopeWalletRead opens the GET routes of the owner's wallet.
	ScopeWalletRead Scope = "wallet:read"
	// ScopeWalletCharge opens use and holds on the owner's wallet.
	ScopeWalletCharge Scope = "wallet:charge"
)

// allScopes lists every scope; the i-th is bit i of Scopes.
var allScopes = [...]Scope{ScopeGateway, ScopeWalletRead, ScopeWalletCharge}

// maxScopeShown is how much of a wrong scope an error repeats, in bytes.
const maxScopeShown = 40

// Scopes is a set of scopes. The zero value has none.
type Scopes uint8

// DefaultScopes returns the scopes of a user's default key: gateway and
// wallet:read.
func DefaultScopes() Scopes {
	return ScopeGateway.bit() | ScopeWalletRead.bit()
}

// ParseScopes reads a list of scope names in any order; repeats are fine. An
// empty list is refused, because a key without scopes is of no use. The error
// names the wrong one and lists the valid ones.
func ParseScopes(names []string) (Scopes, error) {
	if len(names) == 0 {
		return 0, fmt.Errorf("name at least one scope of %s", validScopes())
	}
	var scopes Scopes
	for _, name := range names {
		bit := Scope(name).bit()
		if bit == 0 {
			return 0, fmt.Errorf("%q is not a scope: the scopes are %s", shorten(name), validScopes())
		}
		scopes |= bit
	}
	return scopes, nil
}

// Has reports whether the set contains a scope. An unknown scope is in no set.
func (s Scopes) Has(scope Scope) bool {
	return s&scope.bit() != 0
}

// Strings lists the names, as ParseScopes reads them, in a fixed order.
func (s Scopes) Strings() []string {
	names := make([]string, 0, len(allScopes))
	for _, scope := range allScopes {
		if s.Has(scope) {
			names = append(names, string(scope))
		}
	}
	return names
}

// String joins the names with a comma.
func (s Scopes) String() string { return strings.Join(s.Strings(), ", ") }

// bit returns the scope's bit, or 0 for an unknown scope.
func (s Scope) bit() Scopes {
	for i, scope := range allScopes {
		if s == scope {
			return 1 << i
		}
	}
	return 0
}

func validScopes() string {
	return Scopes(1<<len(allScopes) - 1).String()
}

func shorten(name string) string {
	if len(name) <= maxScopeShown {
		return name
	}
	return name[:maxScopeShown] + "…"
}
