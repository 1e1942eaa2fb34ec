// Package export writes what a database holds, so that its owner can leave: whole,
// as SQL text in the form of the original backend's dump or as JSON lines, and one
// user's part of it as a JSON document.
//
// It owns which columns leave the house and what they are called outside. A column
// that is not listed here stays in: hashes of tokens and API keys, token keys and
// codes never leave; hashes of passwords leave only with the whole, whose point is
// that everybody can still sign in.
//
// It must never write to the database, read more than one row into memory at a
// time, or leave a file that looks whole and is not.
package export
