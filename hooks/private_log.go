package hooks

import (
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
			page, _, _ := strings.Cut(e.Request.Referer(), "?")
			e.Request.Header.Set("Referer", page)
			return err
		},
	}
}
