// Package limits counts requests per key and says when there were too many.
//
// It owns the counters in memory: how a window starts and ends, and how many
// keys are remembered at most. It must never decide who a caller is, never
// read a clock (callers pass the time) and never grow with the number of keys
// an attacker invents. Counters are per process and gone after a restart.
package limits
