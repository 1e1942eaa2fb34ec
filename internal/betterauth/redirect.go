package betterauth

import (
	"net/url"
	"strings"
)

// CheckRedirectTo is CheckCallbackURL for the field redirectTo, whose error has a
// name of its own.
func CheckRedirectTo(redirectTo, self string, trusted Origins) error {
	if CheckCallbackURL(redirectTo, self, trusted) != nil {
		return ErrInvalidRedirectURL
	}
	return nil
}

// WithQuery adds one parameter to the query of an address that CheckCallbackURL
// accepted, before its fragment. What the address has under that name already is
// replaced, so that whoever made the link cannot choose the value; the rest stays
// as it was written.
func WithQuery(address, name, value string) string {
	rest, fragment, hasFragment := strings.Cut(address, "#")
	path, query, _ := strings.Cut(rest, "?")
	kept := make([]string, 0, strings.Count(query, "&")+2)
	for parameter := range strings.SplitSeq(query, "&") {
		if parameter != "" && parameterName(parameter) != name {
			kept = append(kept, parameter)
		}
	}
	kept = append(kept, encodeURIComponent(name)+"="+encodeURIComponent(value))
	result := path + "?" + strings.Join(kept, "&")
	if hasFragment {
		result += "#" + fragment
	}
	return result
}

func parameterName(parameter string) string {
	name, _, _ := strings.Cut(parameter, "=")
	if decoded, err := url.QueryUnescape(name); err == nil {
		return decoded
	}
	return name
}

// MailLink returns the address in a mail that leads to a route below base, such as
// "https://api.example.com/api/auth/verify-email?token=…&callbackURL=…". Parameters
// come in pairs of name and value and are escaped as the library does it.
func MailLink(base, route string, parameters ...string) string {
	var link strings.Builder
	link.WriteString(strings.TrimSuffix(base, "/") + "/api/auth/" + route)
	for i := 0; i+1 < len(parameters); i += 2 {
		separator := "&"
		if i == 0 {
			separator = "?"
		}
		link.WriteString(separator + parameters[i] + "=" + encodeURIComponent(parameters[i+1]))
	}
	return link.String()
}
