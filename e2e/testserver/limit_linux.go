package testserver

import (
	"fmt"
	"syscall"
	"unsafe"
)

// LimitFileSize bounds how large the running server may make its files, in bytes,
// and returns the bound before. At 0 no write to any file succeeds; sockets and
// reads go on.
func (s *Server) LimitFileSize(bytes uint64) (before uint64, err error) {
	var old syscall.Rlimit
	if err := s.fileSizeLimit(nil, &old); err != nil {
		return 0, err
	}
	return old.Cur, s.fileSizeLimit(&syscall.Rlimit{Cur: bytes, Max: old.Max}, nil)
}

func (s *Server) fileSizeLimit(next, old *syscall.Rlimit) error {
	_, _, failure := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(s.PID()), syscall.RLIMIT_FSIZE,
		uintptr(unsafe.Pointer(next)), uintptr(unsafe.Pointer(old)), 0, 0)
	if failure != 0 {
		return fmt.Errorf("prlimit: %w", failure)
	}
	return nil
}
