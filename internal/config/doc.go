// Package config owns everything an operator can set: it reads the environment
// once, at the start, and refuses what is wrong with a sentence that says how
// to put it right. It also owns the secret that is generated when the operator
// sets none.
//
// It must never print a secret, never guess what a wrong value could have
// meant, and never be read again while the server runs: a Config is a value
// that main hands to whoever needs it.
package config
