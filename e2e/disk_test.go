//go:build linux

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sokuji/e2e/testserver"
)

const (
	// smallDiskBytes holds a new data folder, the longest log of data.db (64 MiB)
	// and little else.
	smallDiskBytes = 96 << 20
	diskClients    = 8
	// healthyLoad is how long clients work before the disk fails, and after.
	healthyLoad = 400 * time.Millisecond
	// enoughRefusals is how many operations have to meet the failing disk.
	enoughRefusals = 80
	// faultTimeout bounds how long the clients try to meet it.
	faultTimeout = 20 * time.Second
	// faultDuration is how long the disk fails: past the end of short holds, and past
	// PocketBase's writing of its log (every 3 s), which fails too.
	faultDuration = 4 * time.Second
	// recoveryTimeout is what the server may take once the disk works again.
	recoveryTimeout = 5 * time.Second
)

// A disk that is full, or that takes no writes, costs what cannot be stored: 503,
// and nothing else. When it works again, so does the same process.
func TestAFailingDiskRefusesAndRecovers(t *testing.T) {
	for _, fault := range []diskFault{fullDisk(), refusedWrites()} {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			server := testserver.Start(t, testserver.Options{Dir: fault.folder(t)})
			trial := newDiskTrial(t, server)
			trial.work(t, healthyLoad, nil)

			mend, began := fault.begin(t, server), time.Now()
			if stored := trial.workUntilRefused(t); fault.takesNothing && stored > 0 {
				t.Errorf("%d operations were acknowledged while nothing could be written", stored)
			}
			trial.readEverything(t)
			trial.writeEverything(t)
			time.Sleep(faultDuration - time.Since(began))
			trial.work(t, healthyLoad, nil)
			trial.readEverything(t)
			mend()

			mended := time.Now()
			trial.awaitRecovery(t)
			awaitExpiries(t, server.Dir, mended)
			trial.readEverything(t)
			trial.repeatEverything(t)
			trial.work(t, healthyLoad, nil)
			trial.history.check(t, auditBooks(t, server.Dir))
			verifyBooks(t, server)

			server.Kill()
			if output := server.Output(); strings.Contains(output, "panic") || strings.Contains(output, "goroutine ") {
				t.Errorf("the server panicked:\n%s", output)
			}
			server = testserver.StartAgain(t, server)
			trial.history.check(t, auditBooks(t, server.Dir))
			verifyBooks(t, server)
			mint(t, server, trial.user.ID, 1)
		})
	}
}

// A crash while the disk is full finds the books as they were acknowledged, and
// the next start, with room again, goes on from there.
func TestACrashOnAFullDiskLosesNothing(t *testing.T) {
	fault := fullDisk()
	server := testserver.Start(t, testserver.Options{Dir: fault.folder(t)})
	trial := newDiskTrial(t, server)
	trial.work(t, healthyLoad, nil)
	mend := fault.begin(t, server)
	trial.workUntilRefused(t)
	server.Kill()
	mend()

	trial.server = testserver.StartAgain(t, server)
	trial.history.check(t, auditBooks(t, server.Dir))
	trial.repeatEverything(t)
	trial.history.check(t, auditBooks(t, server.Dir))
	verifyBooks(t, trial.server)
}

// A server that cannot write at all says so and ends, and changes nothing.
func TestAServerDoesNotStartOnAReadOnlyDisk(t *testing.T) {
	folder := smallDisk(t)
	options := testserver.Options{Dir: filepath.Join(folder, "data")}
	server := testserver.Start(t, options)
	user := newUser(t, server)
	mint(t, server, user.ID, 5)
	server.Kill()

	remount(t, folder, syscall.MS_RDONLY)
	ctx, cancel := context.WithTimeout(t.Context(), refusalTimeout)
	defer cancel()
	output, exitCode, err := testserver.Run(ctx, options, "serve", "--http", "127.0.0.1:0")
	if err != nil || exitCode == 0 {
		t.Errorf("on a read-only disk the server ended with exit code %d, %v\n%s", exitCode, err, output)
	}
	if !strings.Contains(output, "read-only file system") {
		t.Errorf("the server did not say what is wrong: %q", output)
	}

	remount(t, folder, 0)
	server = testserver.StartAgain(t, server)
	if balance := balanceOf(t, server, user.ID); balance != 5 {
		t.Errorf("the balance is %d, want 5", balance)
	}
	auditBooks(t, server.Dir)
}

// diskFault is a way in which a disk fails under a running server.
type diskFault struct {
	name string
	// takesNothing says that not even what fits into files that are there is stored.
	takesNothing bool
	// folder makes the data folder, or skips the test.
	folder func(*testing.T) string
	// begin makes the disk fail; what it returns mends it.
	begin func(*testing.T, *testserver.Server) (mend func())
}

func fullDisk() diskFault {
	return diskFault{
		name:   "full",
		folder: func(t *testing.T) string { return filepath.Join(smallDisk(t), "data") },
		begin: func(t *testing.T, server *testserver.Server) func() {
			ballast := filepath.Join(filepath.Dir(server.Dir), "ballast")
			fill(t, ballast)
			return func() {
				if err := os.Remove(ballast); err != nil {
					t.Fatal(err)
				}
			}
		},
	}
}

// refusedWrites is what a disk that went read-only looks like to a process that
// has its files open: every write fails, and not for want of room. The kernel does
// not make a disk read-only while files on it are open to write, so a limit of the
// process stands in; SQLite sees the same error (SQLITE_IOERR_WRITE).
func refusedWrites() diskFault {
	return diskFault{
		name:         "refuses writes",
		takesNothing: true,
		folder:       func(t *testing.T) string { return t.TempDir() },
		begin: func(t *testing.T, server *testserver.Server) func() {
			before, err := server.LimitFileSize(0)
			if err != nil {
				t.Fatal(err)
			}
			return func() {
				if _, err := server.LimitFileSize(before); err != nil {
					t.Fatal(err)
				}
			}
		},
	}
}

// smallDisk mounts a small disk of its own and returns its folder.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a small disk")
	}
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", smallDiskBytes)); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", folder, err)
		}
	})
	return folder
}

func remount(t *testing.T, folder string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("", folder, "", syscall.MS_REMOUNT|flags, ""); err != nil {
		t.Fatalf("remount: %v", err)
	}
}

// fill writes a file until the disk has no room for one more byte.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, size := range []int{1 << 20, 4 << 10, 1} {
		for err = nil; err == nil; {
			_, err = file.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("fill the disk: %v", err)
		}
	}
}

// diskTrial is a server under load, and what its clients know.
type diskTrial struct {
	server  *testserver.Server
	user    testserver.User
	clients []*loadClient
	history *history
	entries int // in the user's ledger before the disk fails
}

func newDiskTrial(t *testing.T, server *testserver.Server) *diskTrial {
	t.Helper()
	trial := &diskTrial{server: server, user: newUser(t, server), history: &history{}}
	superuserToken(t, server)
	opening := &operation{kind: "mint", op: testserver.Op{
		UserID: trial.user.ID, Amount: openingTokens, ExternalEventID: "open", Description: "open",
	}}
	opening.send(bounded(t), server)
	trial.history.add(opening)
	seed := uintFromEnv(t, seedVariable, uint64(time.Now().UnixNano()))
	t.Logf("%s=%d", seedVariable, seed)
	for number := range diskClients {
		trial.clients = append(trial.clients, newLoadClient(seed, 0, number, trial.user.ID))
	}
	return trial
}

// work lets all clients send operations for a while, or until enough tells them
// to stop. Each answer must be one that a client can rely on.
func (d *diskTrial) work(t *testing.T, duration time.Duration, enough func(*operation) bool) {
	t.Helper()
	ctx := bounded(t)
	deadline := time.Now().Add(duration)
	var group sync.WaitGroup
	for _, client := range d.clients {
		first := len(client.sent)
		group.Go(func() {
			for time.Now().Before(deadline) {
				o := client.step(ctx, d.server)
				checkAnswer(t, o)
				if o.status == http.StatusServiceUnavailable {
					o.fate = unknown // by the contract, until a repetition tells
				}
				if enough != nil && enough(o) {
					return
				}
			}
		})
		defer func() { d.history.add(client.sent[first:]...) }()
	}
	group.Wait()
}

// workUntilRefused lets the clients work until the failing disk has cost enough
// operations, and returns how many were acknowledged meanwhile. A full disk still
// takes what fits into files that are there.
func (d *diskTrial) workUntilRefused(t *testing.T) (stored int64) {
	t.Helper()
	var done, refusals atomic.Int64
	d.work(t, faultTimeout, func(o *operation) bool {
		switch o.status {
		case http.StatusOK:
			done.Add(1)
		case http.StatusServiceUnavailable:
			refusals.Add(1)
		}
		return refusals.Load() >= enoughRefusals
	})
	t.Logf("on the failing disk: %d operations acknowledged, %d refused with 503", done.Load(), refusals.Load())
	if refusals.Load() < enoughRefusals {
		t.Fatalf("only %d operations were refused within %s: the disk does not fail", refusals.Load(), faultTimeout)
	}
	return done.Load()
}

// checkAnswer allows success, a 503 that says what to do, and what rightly comes
// too late.
func checkAnswer(t *testing.T, o *operation) {
	t.Helper()
	if o.fate == acknowledged || o.mayBeTooLate() {
		return
	}
	failure, ok := errors.AsType[*testserver.StatusError](o.err)
	if !ok || failure.Status != http.StatusServiceUnavailable || failure.Code != "overloaded" || failure.RetryAfter == "" ||
		!strings.Contains(failure.Body, `"message":"`) {
		t.Errorf("%s %s was answered with %v, want success or 503 overloaded with Retry-After", o.kind, o.op.Description, o.err)
	}
}

// readEverything reads what a user and an admin look at; no read needs the disk.
func (d *diskTrial) readEverything(t *testing.T) {
	t.Helper()
	root := superuserToken(t, d.server)
	for _, read := range []struct{ token, path string }{
		{"", "/api/health"},
		{"", "/api/health/db"},
		{"", "/api/health/kv"},
		{"", "/api/health/ready"},
		{d.user.Token, "/api/auth/get-session"},
		{d.user.Token, "/api/user/profile"},
		{d.user.Token, "/api/wallet/balance"},
		{d.user.Token, "/api/wallet/status"},
		{d.user.Token, "/api/wallet/ledger"},
		{d.user.Token, "/api/wallet/usage"},
		{d.user.Token, "/api/wallet/usage/summary?bucket=day"},
		{d.user.Token, "/api/collections/wallets/records"},
		{root, "/api/wallet/holds?userId=" + d.user.ID},
		{root, "/api/wallet/balance?userId=" + d.user.ID},
		{root, "/api/collections/wallet_ledger/records"},
	} {
		answer, err := d.server.Call(bounded(t), testserver.Request{Path: read.path, Token: read.token})
		if err != nil || answer.Status != http.StatusOK {
			t.Errorf("GET %s on the failing disk: %d, %v: %s", read.path, answer.Status, err, answer.Body)
		}
	}
}

// writeEverything tries what writes more than money. It may fail, and then has to
// say that it is not the caller's fault.
func (d *diskTrial) writeEverything(t *testing.T) {
	t.Helper()
	root, newcomer := superuserToken(t, d.server), "newcomer@example.com"
	own := []int{http.StatusOK, http.StatusServiceUnavailable}
	// PocketBase's own routes stay as they are, and it calls every failed save a 400.
	pocketBases := append(slices.Clone(own), http.StatusBadRequest)
	for _, write := range []struct {
		allowed []int
		testserver.Request
	}{
		{own, testserver.Request{Path: "/api/auth/sign-in/email",
			Body: map[string]string{"email": d.user.Email, "password": d.user.Password}}},
		{own, testserver.Request{Path: "/api/auth/sign-up/email",
			Body: map[string]string{"name": "Aoi", "email": newcomer, "password": testserver.UserPassword}}},
		{own, testserver.Request{Path: "/api/user/profile", Method: http.MethodPatch, Token: d.user.Token,
			Body: map[string]string{"firstName": "Aoi"}}},
		{own, testserver.Request{Path: "/api/user/api-key/rotate", Token: d.user.Token, Body: map[string]any{}}},
		{own, testserver.Request{Path: "/api/wallet/unfreeze", Token: root,
			Body: map[string]string{"userId": d.user.ID, "reason": "it is not frozen"}}},
		{own, testserver.Request{Path: "/api/collections/users/auth-with-password",
			Body: map[string]string{"identity": d.user.Email, "password": d.user.Password}}},
		{pocketBases, testserver.Request{Path: "/api/collections/users/records",
			Body: map[string]string{"email": newcomer, "password": testserver.UserPassword, "passwordConfirm": testserver.UserPassword}}},
	} {
		answer, err := d.server.Call(bounded(t), write.Request)
		if err != nil || !slices.Contains(write.allowed, answer.Status) {
			t.Errorf("%s on the failing disk: %d, %v, want one of %v: %s", write.Path, answer.Status, err, write.allowed, answer.Body)
		}
		if answer.Status == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") == "" {
			t.Errorf("%s on the failing disk: 503 without Retry-After", write.Path)
		}
	}
}

// awaitRecovery waits until the same process takes operations again.
func (d *diskTrial) awaitRecovery(t *testing.T) {
	t.Helper()
	mended := time.Now()
	for try := 0; ; try++ {
		o := &operation{kind: "mint", op: testserver.Op{
			UserID: d.user.ID, Amount: 1, Description: fmt.Sprintf("recovery %d", try), IdempotencyKey: fmt.Sprintf("recovery-%d", try),
		}}
		o.send(bounded(t), d.server)
		checkAnswer(t, o)
		if o.status == http.StatusServiceUnavailable {
			o.fate = unknown
		}
		d.history.add(o)
		if o.fate == acknowledged {
			t.Logf("the server worked again %s after the disk did", time.Since(mended).Round(time.Millisecond))
			return
		}
		if time.Since(mended) > recoveryTimeout {
			t.Fatalf("the server does not work again %s after the disk does: %v", recoveryTimeout, o.err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// repeatEverything sends every operation with a key again.
func (d *diskTrial) repeatEverything(t *testing.T) {
	t.Helper()
	var open, done []*operation
	for _, o := range d.history.operations {
		switch {
		case !o.repeatable():
		case o.fate == unknown:
			open = append(open, o)
		case o.fate == acknowledged:
			done = append(done, o)
		}
	}
	repeatAnswered(bounded(t), t, d.server, done)
	replayed, fresh := repeatOpen(bounded(t), t, d.server, open)
	t.Logf("repeated after the recovery: %d acknowledged ones answered as before; of %d others %d were there, %d were not",
		len(done), len(open), replayed, fresh)
}
