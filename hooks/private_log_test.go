package hooks

import (
	"net/http"
	"net/url"
	"testing"
)

func TestWhatIsLoggedOfAPath(t *testing.T) {
	for _, test := range []struct{ path, pattern, want string }{
		{"/v1/chat/completions", "POST /v1/chat/completions", "/v1/chat/completions"},
		{"/v1/models/sk-secret", "GET /v1/models/{model...}", "/v1/models/"},
		{"/v1/sk-secret", "GET /v1/{path...}", "/v1/"},
		{"/v1/sk-secret", "/{path...}", "/v1/"},
		{"/v1/sk-secret", "", "/v1/"},
		{"/api/wallet/holds/abc/settle", "POST /api/wallet/holds/{id}/settle", "/api/wallet/holds/abc/settle"},
	} {
		got := loggedPath(&http.Request{URL: &url.URL{Path: test.path}, Pattern: test.pattern})
		if got != test.want {
			t.Errorf("%s at %q is logged as %s, not %s", test.path, test.pattern, got, test.want)
		}
	}
}
