package e2e

import (
	"os"
	"syscall"
)

// peakMemory is the most that a process took that has ended, in bytes.
func peakMemory(ended *os.ProcessState) int64 {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	const unit = 1 << 10 // of Linux
	return usage.Maxrss * unit
}
