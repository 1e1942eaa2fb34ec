// Package password owns how a password is normalised and hashed: the scrypt
// hashes that Better Auth wrote, and the question whether bcrypt, which
// PocketBase uses, can hold a password at all.
//
// The package is pure. It must never store or log a password or a hash, import
// PocketBase, or put either into an error.
//
// One scrypt hash takes 32 MiB of memory and tens of milliseconds. Whoever calls
// HashScrypt or VerifyScrypt for strangers must bound how many run at once.
package password
