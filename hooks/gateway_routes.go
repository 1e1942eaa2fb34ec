package hooks

import (
	"fmt"

	"sokuji/internal/metering"
)

// Bounds of a request's body, in bytes.
const (
	maxGatewayJSONBytes = 32 << 20 // pictures travel as text
	maxGatewayFormBytes = 32 << 20 // OpenAI takes files of 25 MB
)

// gatewayRoute is one metered route: POST /v1/ and its endpoint.
type gatewayRoute struct {
	endpoint metering.Endpoint
	read     func(*server, *call) (callContent, error) // what the client sent
	// bytes tells that a whole answer carries no counts, because it is sound: what
	// was asked for is what is billed.
	bytes bool
}

// gatewayRoutes are all routes that reach a provider. Each has a meter; a route
// without a row here does not exist.
var gatewayRoutes = []gatewayRoute{
	{endpoint: metering.ChatCompletions, read: readJSONContent},
	{endpoint: metering.Responses, read: readJSONContent},
	{endpoint: metering.Embeddings, read: readJSONContent},
	{endpoint: metering.Transcriptions, read: readFormContent},
	{endpoint: metering.Speech, read: readJSONContent, bytes: true},
	{endpoint: metering.Images, read: readJSONContent},
	{endpoint: metering.Messages, read: readJSONContent},
}

// gatewayRouteOf finds a route's row when the routes are bound: a route without
// one would pass calls that nobody counts.
func gatewayRouteOf(endpoint metering.Endpoint) gatewayRoute {
	for _, route := range gatewayRoutes {
		if route.endpoint == endpoint {
			return route
		}
	}
	panic(fmt.Sprintf("POST /v1/%s has no meter", endpoint))
}
