package config

import (
	"fmt"
	"strings"
)

// publicURL reads PUBLIC_URL or, when that is unset, BETTER_AUTH_URL, the name
// the former backend used.
func (e *environment) publicURL() string {
	name := variablePublicURL
	if e.text(name) == "" {
		name = variableBetterAuthURL
	}
	text := e.text(name)
	if text == "" {
		return ""
	}
	address, wrong := parseAddress(text)
	if wrong != "" {
		e.refuse(name, fmt.Sprintf("is %s, which %s", shown(text), wrong), "https://api.example.com")
	}
	return address.origin + strings.TrimRight(address.path, "/")
}
