package betterauth

import "net/http"

// Errors about one-time tokens. The older library makes the codes out of the
// messages, the newer has none.
var (
	ErrInvalidToken    = Error{http.StatusBadRequest, "Invalid token", "INVALID_TOKEN"}
	ErrSessionNotFound = Error{http.StatusBadRequest, "Session not found", "SESSION_NOT_FOUND"}
)

// DecodeOneTimeToken reads the body of one-time-token/verify and returns its
// token, at most 2,048 characters, possibly empty. It is JSON only. Errors are of
// type Error: what keeps the body from being read, or a ValidationError.
func DecodeOneTimeToken(contentType string, content []byte) (string, error) {
	check, err := readFields(contentType, content, "token")
	if err != nil {
		return "", err
	}
	token := check.requiredText("token", maxURLLength)
	return token, check.result()
}
