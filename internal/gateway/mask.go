package gateway

import "regexp"

// accountNames are the names that OpenAI gives organisations, projects and keys. In
// a text of JSON an escape may stand before one.
var accountNames = regexp.MustCompile(`(^|[^A-Za-z0-9]|\\[bfnrt]|\\u[0-9A-Fa-f]{4})(org-|proj_|sk-)[A-Za-z0-9_*-]+`)

// MaskAccount hides the names of the operator's account at a provider: what it says
// of an error often has them.
func MaskAccount(text []byte) []byte {
	return accountNames.ReplaceAll(text, []byte("${1}${2}***"))
}
