//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package datalock

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// childFolder, when set, makes the test binary take the lock of that folder and
// hold it until it is killed.
const childFolder = "SOKUJI_DATALOCK_TEST_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(childFolder); folder != "" {
		hold(folder)
	}
	os.Exit(m.Run())
}

// hold keeps the lock until the parent is gone and its pipe closes.
func hold(folder string) {
	lock, err := Acquire(folder, "child")
	fmt.Println("acquired:", err)
	io.Copy(io.Discard, os.Stdin)
	lock.Release()
	os.Exit(0)
}

// mustAcquire takes a lock that the test gives back.
func mustAcquire(t *testing.T, folder, purpose string) *Lock {
	t.Helper()
	lock, err := Acquire(folder, purpose)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lock.Release() })
	return lock
}

// startChild runs a process that holds the lock of a folder.
func startChild(t *testing.T, folder string) *exec.Cmd {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childFolder+"="+folder)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := child.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		child.Process.Kill()
		child.Wait()
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil || line != "acquired: <nil>\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return child
}

func TestLockOfAnotherProcess(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	child := startChild(t, folder)

	_, err := Acquire(folder, "import")
	var held *HeldError
	if !errors.As(err, &held) {
		t.Fatalf("got %v, want a HeldError", err)
	}
	if want := (HeldError{DataDir: folder, PID: child.Process.Pid, Purpose: "child"}); *held != want {
		t.Fatalf("got %+v, want %+v", *held, want)
	}
	for _, part := range []string{folder, fmt.Sprint(child.Process.Pid), "child", "stop", "--dir"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %q", err, part)
		}
	}

	// SIGKILL: the child has no chance to release anything.
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait()
	mustAcquire(t, folder, "import")
}

func TestLockIsExclusiveWithinOneProcess(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	first := mustAcquire(t, folder, "serve")
	second, err := Acquire(folder, "restore")
	var held *HeldError
	if !errors.As(err, &held) || second != nil {
		t.Fatalf("got %v, %v; want a HeldError", second, err)
	}
	if held.PID != os.Getpid() || held.Purpose != "serve" {
		t.Fatalf("names %+v", held)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	mustAcquire(t, folder, "restore")
}

// TestRefusalDoesNotDisturbTheHolder checks that asking in vain neither takes
// the lock away nor changes the message.
func TestRefusalDoesNotDisturbTheHolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	mustAcquire(t, folder, "serve")
	for range 3 {
		var held *HeldError
		if _, err := Acquire(folder, "import"); !errors.As(err, &held) || held.Purpose != "serve" {
			t.Fatalf("got %v", err)
		}
	}
}

func TestFoldersAreApart(t *testing.T) {
	t.Parallel()
	mustAcquire(t, t.TempDir(), "serve")
	mustAcquire(t, t.TempDir(), "serve")
}

func TestReleaseTwiceAndOnNil(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	lock := mustAcquire(t, folder, "serve")
	for range 2 {
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
	}
	mustAcquire(t, folder, "import")
	// The first lock's second release must not free the second lock.
	lock.Release()
	if _, err := Acquire(folder, "third"); err == nil {
		t.Fatal("a released lock freed another one")
	}
	if err := (*Lock)(nil).Release(); err != nil {
		t.Fatal(err)
	}
}

func TestReleaseKeepsAnEmptyFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := mustAcquire(t, folder, "serve").Release(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(folder, FileName))
	if err != nil || len(content) != 0 {
		t.Fatalf("the file has %q, %v", content, err)
	}
}

func TestLockFileIsPrivateAndReadable(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new", "folder")
	mustAcquire(t, folder, "serve")
	path := filepath.Join(folder, FileName)
	for name, want := range map[string]fs.FileMode{path: 0o600, folder: 0o700} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode().Perm(), err, want)
		}
	}
	content, err := os.ReadFile(path)
	if want := fmt.Sprintf("%d serve\n", os.Getpid()); err != nil || string(content) != want {
		t.Errorf("the file has %q, %v; want %q", content, err, want)
	}
}

func TestLockOverwritesALongerHolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	old := "4194303 " + strings.Repeat("x", 60) + "\nrest\n"
	if err := os.WriteFile(filepath.Join(folder, FileName), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	mustAcquire(t, folder, "serve")
	var held *HeldError
	if _, err := Acquire(folder, "import"); !errors.As(err, &held) || held.Purpose != "serve" || held.PID != os.Getpid() {
		t.Fatalf("got %v", err)
	}
}

func TestHeldByAnUnreadableHolder(t *testing.T) {
	t.Parallel()
	for _, content := range []string{
		"", "\n", "12", "12\n", "12 ", "12 serve", "abc serve\n", "-1 serve\n", "0 serve\n", "12 two\nlines\n",
		"12 \x1b[31mred\n", "12 \xff\n", "99999999999999999999 serve\n", "12 " + strings.Repeat("x", 500) + "\n",
	} {
		folder := t.TempDir()
		mustAcquire(t, folder, "serve")
		if err := os.WriteFile(filepath.Join(folder, FileName), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Acquire(folder, "import")
		var held *HeldError
		if !errors.As(err, &held) || held.PID != 0 || held.Purpose != "" {
			t.Errorf("%q: got %v", content, err)
		} else if !strings.Contains(err.Error(), "another process") {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestAcquireRefusesAPurposeItCouldNotReadBack(t *testing.T) {
	t.Parallel()
	for _, purpose := range []string{"", "two\nlines", "tab\t", "\x00", "\xff", strings.Repeat("x", 65)} {
		folder := t.TempDir()
		if lock, err := Acquire(folder, purpose); err == nil || lock != nil {
			t.Errorf("%q was accepted", purpose)
		}
	}
	mustAcquire(t, t.TempDir(), strings.Repeat("x", 64))
}

func TestAcquireReportsAnUnusableFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if lock, err := Acquire(file, "serve"); err == nil || lock != nil {
		t.Error("a file was taken for a folder")
	}

	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, FileName), 0o700); err != nil {
		t.Fatal(err)
	}
	var held *HeldError
	if _, err := Acquire(folder, "serve"); err == nil || errors.As(err, &held) {
		t.Errorf("a folder in the lock file's place: got %v", err)
	}
}

func TestExactlyOneOfManyAcquires(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var winners, losers atomic.Int64
	var group sync.WaitGroup
	for n := range 20 {
		group.Go(func() {
			lock, err := Acquire(folder, fmt.Sprint("number ", n))
			var held *HeldError
			switch {
			case err == nil:
				winners.Add(1)
				t.Cleanup(func() { lock.Release() })
			case errors.As(err, &held):
				losers.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	if winners.Load() != 1 || losers.Load() != 19 {
		t.Fatalf("%d winners, %d losers", winners.Load(), losers.Load())
	}
}
