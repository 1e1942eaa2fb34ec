// Package usagesummary cuts a period into the days or hours of a time zone, and
// sums roll-ups of usage by them.
//
// Buckets are what a clock on the wall in that zone shows: a day has 23 or 25
// hours where the clocks change, an hour that comes twice is two buckets, and a
// day that a zone skipped is none. Buckets follow each other without gap or
// overlap, so every roll-up lies in exactly one.
//
// The package must never read a database, a file of its own or the current time:
// its callers bring the rows and the moment.
package usagesummary
