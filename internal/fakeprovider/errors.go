package fakeprovider

import (
	"fmt"
	"net/http"
)

// dialect is how a family of providers words its errors.
type dialect struct {
	body  func(kind, message, field string) object
	kinds map[int]string // by status
}

var openAIErrors = dialect{
	body: func(kind, message, field string) object {
		return object{"error": object{"message": message, "type": kind, "param": orNull(field), "code": nil}}
	},
	kinds: map[int]string{
		http.StatusBadRequest:      "invalid_request_error",
		http.StatusUnauthorized:    "invalid_request_error",
		http.StatusForbidden:       "invalid_request_error",
		http.StatusNotFound:        "invalid_request_error",
		http.StatusTooManyRequests: "rate_limit_error",
	},
}

var anthropicErrors = dialect{
	body: func(kind, message, _ string) object {
		return object{"type": "error", "error": object{"type": kind, "message": message}, "request_id": "req_fake"}
	},
	kinds: map[int]string{
		http.StatusBadRequest:            "invalid_request_error",
		http.StatusUnauthorized:          "authentication_error",
		http.StatusForbidden:             "permission_error",
		http.StatusNotFound:              "not_found_error",
		http.StatusRequestEntityTooLarge: "request_too_large",
		http.StatusTooManyRequests:       "rate_limit_error",
		statusOverloaded:                 "overloaded_error",
	},
}

// statusOverloaded is Anthropic's own.
const statusOverloaded = 529

func (d dialect) kind(status int) string {
	if kind, known := d.kinds[status]; known {
		return kind
	}
	if status >= http.StatusInternalServerError {
		return map[bool]string{true: "api_error", false: "server_error"}[d.kinds[statusOverloaded] != ""]
	}
	return "invalid_request_error"
}

func (d dialect) write(w http.ResponseWriter, status int, message, field string) {
	writeJSON(w, status, d.body(d.kind(status), message, field))
}

// refuse answers the error that a switch asks for. One about the key names it, as
// real providers do.
func (c *call) refuse() {
	status, message := c.switches.Status, fmt.Sprintf("The fake provider was told to answer %d.", c.switches.Status)
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		message = "Incorrect API key provided: " + credential(c.r.Header)
	}
	if c.switches.RetryAfter != "" {
		c.w.Header().Set("Retry-After", c.switches.RetryAfter)
	}
	c.dialect.write(c.w, status, message, "")
}

func credential(header http.Header) string {
	for _, name := range []string{"Authorization", "X-Api-Key", "Api-Key"} {
		if value := header.Get(name); value != "" {
			return value
		}
	}
	return "none"
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
