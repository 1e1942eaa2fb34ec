package simulate

import (
	"io"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/memorystore"
)

// DefaultSteps is the length of a run, in steps.
const DefaultSteps = 150

// Options say what to run.
type Options struct {
	Seed  uint64
	Steps int // 1 or more
	// Trace gets a line a step. May be nil.
	Trace io.Writer
	// Store puts a store of its own between the writer and the memory. A
	// Crasher is told when the process dies. May be nil.
	Store func(*memorystore.Memory) ledger.Store
}

// Crasher is a store that loses something when its process dies.
type Crasher interface{ Crash() }

// Result is what a run went through. Equal seeds give equal results.
type Result struct {
	Hash     string // SHA-256 of the trace, in hex
	Requests int    // sent for the first time
	Repeats  int
	Answers  int // requests that were done and answered
	Refusals int
	Entries  int
	Crashes  int
	Failures int // of the disk, without a crash
}
