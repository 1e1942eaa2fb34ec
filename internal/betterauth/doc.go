// Package betterauth owns the wire format of Better Auth: session tokens and
// their signatures, cookies, JSON shapes, request bodies, error codes and the
// origin rules. A client written for Better Auth 1.4 to 1.7 must not be able to
// tell this server from the original.
//
// The package is pure. It must never touch a database, import PocketBase, read
// the clock or the environment, decide who may sign in, write a response, or
// put a secret (a password, a token, a signing key) into an error.
//
// "The library" in the comments below means Better Auth 1.7.25
// (https://www.better-auth.com). Its messages and header values are repeated to
// the byte, because clients compare them.
package betterauth
