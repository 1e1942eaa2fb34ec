package datalock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// FileName is the lock file's name in the data folder. Backups should leave
	// it out, and a restore must not replace it.
	FileName = "sokuji.lock"

	// maxPurposeBytes is the longest purpose, in bytes.
	maxPurposeBytes = 64

	// maxHolderBytes is how much of the lock file is read, in bytes.
	maxHolderBytes = 256

	filePermissions   = 0o600
	folderPermissions = 0o700
)

// errHeld is what the system call of a platform answers when another process
// has the lock.
var errHeld = errors.New("held by another process")

// Lock is an exclusive lock on a data folder. It ends with Release or with the
// process.
type Lock struct {
	file *os.File // nil once released
}

// HeldError says that another process has the lock.
type HeldError struct {
	DataDir string
	PID     int    // 0 when the holder has not written it
	Purpose string // "" when the holder has not written it
}

// Error names the folder, the holder and what to do.
func (e *HeldError) Error() string {
	holder := "another process"
	if e.PID > 0 {
		holder = fmt.Sprintf("process %d (%s)", e.PID, e.Purpose)
	}
	return fmt.Sprintf("the data folder %q is in use by %s: stop that one first, or choose another folder with --dir",
		e.DataDir, holder)
}

// Acquire takes the exclusive lock on a data folder, which it creates when it
// is missing, and never waits. The purpose, such as "serve" or "import", is
// one short line for the message that a second holder reads; it is at most 64
// bytes of printable text.
//
// The error is a *HeldError when another process, or another Lock of this one,
// has the lock.
func Acquire(dataDir, purpose string) (*Lock, error) {
	if err := checkPurpose(purpose); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dataDir, folderPermissions); err != nil {
		return nil, fmt.Errorf("create the data folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dataDir, FileName), os.O_RDWR|os.O_CREATE, filePermissions)
	if err != nil {
		return nil, fmt.Errorf("open the lock file: %w", err)
	}
	if err := lockFile(file); err != nil {
		return nil, errors.Join(explain(err, dataDir, file), file.Close())
	}
	if err := writeHolder(file, purpose); err != nil {
		return nil, errors.Join(fmt.Errorf("write the lock file: %w", err), file.Close())
	}
	return &Lock{file}, nil
}

// Release gives the lock up. It may be called more than once, and on nil.
func (l *Lock) Release() error {
	if l == nil || l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	// Emptied while still locked, so that no later message names this process.
	return errors.Join(file.Truncate(0), unlockFile(file), file.Close())
}

// checkPurpose keeps the file one line that readHolder can read back.
func checkPurpose(purpose string) error {
	if purpose == "" || len(purpose) > maxPurposeBytes {
		return fmt.Errorf("the purpose of a lock has 1 to %d bytes, not %d", maxPurposeBytes, len(purpose))
	}
	if !isPrintable(purpose) {
		return fmt.Errorf("the purpose of a lock is printable text, not %q", purpose)
	}
	return nil
}

func isPrintable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) })
}

// explain turns the answer of the system call into a sentence.
func explain(err error, dataDir string, file *os.File) error {
	if !errors.Is(err, errHeld) {
		return fmt.Errorf("lock the data folder %q: %w", dataDir, err)
	}
	pid, purpose := readHolder(file)
	return &HeldError{DataDir: dataDir, PID: pid, Purpose: purpose}
}

// writeHolder writes who has the lock: the process id, a space, the purpose.
func writeHolder(file *os.File, purpose string) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+" "+purpose+"\n"), 0)
	return err
}

// readHolder reads what writeHolder wrote, or returns zero values: the holder
// may be between taking the lock and writing.
func readHolder(file *os.File) (pid int, purpose string) {
	buffer := make([]byte, maxHolderBytes)
	length, _ := file.ReadAt(buffer, 0) // a short file also gives io.EOF
	number, rest, _ := strings.Cut(string(buffer[:length]), " ")
	purpose, isComplete := strings.CutSuffix(rest, "\n")
	pid, err := strconv.Atoi(number)
	if err != nil || pid <= 0 || !isComplete || checkPurpose(purpose) != nil {
		return 0, ""
	}
	return pid, purpose
}
