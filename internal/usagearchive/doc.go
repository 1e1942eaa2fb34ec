// Package usagearchive moves old usage rows out of the database into compressed
// files, one JSON object a line.
//
// It owns the files and the order of the steps: a file is written, synced and
// named before its manifest row is committed, and the rows go only after that, in
// small steps, once the file was read back and found to be what the manifest says.
// A crash between any two steps is continued by the next run, without a row lost
// or in two files.
//
// It must never touch the ledger or the roll-ups, remove a row whose id it has not
// read in a file with a committed manifest, hold a transaction longer than one
// small step, or replace a file that has a manifest.
package usagearchive
