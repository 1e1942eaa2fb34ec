// Package limits counts requests per key and says when there were too many: in
// fixed windows (Window), at a steady rate (Buckets), or at the same time
// (Sessions).
//
// It owns the counters in memory: how a window starts and ends, how a bucket
// fills, and how many keys are remembered at most. It must never decide who a caller is, never
// read a clock (callers pass the time) and never grow with the number of keys
// an attacker invents. Counters are per process and gone after a restart.
package limits
