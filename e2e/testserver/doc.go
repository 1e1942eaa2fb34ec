// Package testserver runs the compiled server as a process of its own and talks
// to it as a client does: over HTTP, with nothing but what the contract promises.
//
// Open starts a server and needs no test; Start does the same for a test and
// stops the server when the test ends. Everything that waits has a bound. The
// package knows neither the server's packages nor its database, so that a test
// which uses it can only see what a client could see.
package testserver
