package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of the times in /proc, the same on every Linux.
const clockTick = 10 * time.Millisecond

// cpuTime is what a process has spent on all cores so far; 0 where /proc does not
// tell. Unlike a rate it stays the same when others use the machine.
func cpuTime(pid int) time.Duration {
	if pid == 0 {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name of the program stands in brackets and may hold spaces.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	const userTime, systemTime = 11, 12 // of the fields behind the name
	if len(fields) <= systemTime {
		return 0
	}
	user, errUser := strconv.ParseInt(fields[userTime], 10, 64)
	system, errSystem := strconv.ParseInt(fields[systemTime], 10, 64)
	if errUser != nil || errSystem != nil {
		return 0
	}
	return time.Duration(user+system) * clockTick
}

// memory is what a process occupies, in bytes.
type memory struct {
	resident int64 // in all
	own      int64 // without pages of files, such as the program itself
}

func memoryOf(pid int) (memory, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, fmt.Errorf("memory is read from /proc: %w", err)
	}
	var found memory
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			continue // most lines are something else
		}
		switch name {
		case "VmRSS":
			found.resident = kilobytes << 10
		case "RssAnon":
			found.own = kilobytes << 10
		}
	}
	if found.resident == 0 {
		return found, fmt.Errorf("process %d has no VmRSS: it has ended", pid)
	}
	return found, nil
}
