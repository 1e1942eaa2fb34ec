// Package hooks is the only place that knows PocketBase's events and routes. It
// turns a request into one caller, a well-formed operation and a call into the
// packages below, and the answer into JSON.
//
// register.go binds the events and routes.go lists the routes: read them like
// tables of contents. Each route has a file of its own, named after it, with the
// form it takes at the bottom. A handler decodes, calls and encodes; it must
// never decide anything about money, and never write a money table.
package hooks
