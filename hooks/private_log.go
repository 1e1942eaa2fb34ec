package hooks

import (
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// privateLog keeps query strings out of PocketBase's request log, also those of
// the referring page: links and file addresses carry tokens there. It runs right
// inside the logger, which reads the request when everything is done.
func privateLog() *hook.Handler[*core.RequestEvent] {
	return &hook.Handler[*core.RequestEvent]{
		Id:       "sokujiPrivateLog",
		Priority: apis.DefaultActivityLoggerMiddlewarePriority + 1,
		Func: func(e *core.RequestEvent) error {
			err := e.Next()
			e.Request.URL.RawQuery = ""
			e.Request.URL.Path, e.Request.URL.RawPath = loggedPath(e.Request), ""
			page, _, _ := strings.Cut(e.Request.Referer(), "?")
			e.Request.Header.Set("Referer", page)
			return err
		},
	}
}

// loggedPath is the path as it is, but on the gateway only as far as its route says
// it: clients with a wrong base URL put their key behind that.
func loggedPath(r *http.Request) string {
	if !strings.HasPrefix(r.URL.Path, gatewayBase) {
		return r.URL.Path
	}
	route := r.Pattern[strings.IndexByte(r.Pattern, ' ')+1:] // its method comes first
	route, _, _ = strings.Cut(route, "{")
	if !strings.HasPrefix(route, gatewayBase) {
		return gatewayBase
	}
	return route
}

const gatewayBase = "/v1/"
