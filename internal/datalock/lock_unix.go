//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package datalock

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes an exclusive flock without waiting. The kernel drops it when
// the last descriptor of this opening closes. Go opens files close-on-exec, so
// a child process does not keep it.
func lockFile(file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return errHeld
		}
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// unlockFile drops the lock at once. Closing alone would leave it in place
// while a child process is between fork and exec.
func unlockFile(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
}
