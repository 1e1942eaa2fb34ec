//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package datalock

import (
	"errors"
	"os"
)

// lockFile refuses: without a lock that the system drops with the process, two
// servers could write one data folder.
func lockFile(*os.File) error {
	return errors.New("this system has no file lock that Sokuji Backend supports: run it on Linux, macOS or BSD, " +
		"or in a Linux container")
}

// unlockFile has nothing to undo.
func unlockFile(*os.File) error { return nil }
