package hooks

import (
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// bindMiddlewares adds what every request passes, outermost first.
func (s *server) bindMiddlewares(r *router.Router[*core.RequestEvent]) {
	r.Bind(s.cors())                                 // replaces PocketBase's
	r.Bind(privateLog())                             // before the request log writes what was asked
	r.Bind(errorShapes())                            // answers in the shape of the route family
	r.Bind(protocolKeys())                           // keys of browsers' sockets
	r.Bind(s.credentials())                          // who is calling
	r.Bind(refuseSideDoors())                        // the SQL console and truncate
	r.BindFunc(decorateHealth(s.config.Environment)) // the original's keys on PocketBase's route
	r.BindFunc(freshExtensions)
}

// freshExtensions keeps the dashboard from serving old extensions for two weeks.
func freshExtensions(e *core.RequestEvent) error {
	if e.Request.URL.Path == "/_/extensions.js" {
		e.Response.Header().Set("Cache-Control", "no-cache")
	}
	return e.Next()
}

// quiet keeps successful requests of a route out of the request log: on hot
// routes the log costs more than the route.
func quiet(group *router.RouterGroup[*core.RequestEvent]) *router.RouterGroup[*core.RequestEvent] {
	group.Bind(apis.SkipSuccessActivityLog())
	return group
}
