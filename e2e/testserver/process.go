package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Bounds of everything that waits for a process.
const (
	startTimeout = 30 * time.Second
	stopTimeout  = 30 * time.Second
	startTries   = 5 // another process may take the free port first
	pollEvery    = 10 * time.Millisecond
)

// What every server is started with, unless Options.Env says otherwise.
const (
	SuperuserEmail    = "root@example.com"
	SuperuserPassword = "correct horse battery"
	Secret            = "a secret of the tests, 32 characters at least"
)

// Options say how to start a server. The zero Options start one on a free port
// with a new data folder.
type Options struct {
	// Dir is the data folder. Empty means a new one, which Close deletes.
	Dir string
	// Env adds to the server's environment, as NAME=value; later ones win, and
	// an empty value unsets. Nothing but PATH, HOME, TMPDIR and GOCOVERDIR is
	// inherited.
	Env []string
	// Port is where to listen on 127.0.0.1; 0 means a free one.
	Port int
}

// Server is a running server, or one that has ended.
type Server struct {
	URL  string // http://127.0.0.1:PORT
	Port int
	Dir  string

	options Options
	ownDir  bool
	command *exec.Cmd
	output  *outputBuffer
	done    chan struct{} // closed when the process has ended

	tokenMutex sync.Mutex
	token      string // the superuser's
}

// Open starts a server and returns when it answers.
func Open(options Options) (*Server, error) {
	ownDir := options.Dir == ""
	if ownDir {
		var err error
		if options.Dir, err = os.MkdirTemp("", "sokuji-e2e-data-"); err != nil {
			return nil, err
		}
	}
	server, err := open(options)
	if err != nil {
		if ownDir {
			err = errors.Join(err, os.RemoveAll(options.Dir))
		}
		return nil, err
	}
	server.ownDir = ownDir
	return server, nil
}

func open(options Options) (*Server, error) {
	for try := 1; ; try++ {
		server, err := launch(options)
		if err != nil {
			return nil, err
		}
		if err = server.awaitHealth(); err == nil {
			return server, nil
		}
		server.Kill()
		portTaken := strings.Contains(server.Output(), "address already in use")
		if !portTaken || options.Port != 0 || try == startTries {
			return nil, fmt.Errorf("%w\n%s", err, server.Output())
		}
	}
}

func launch(options Options) (*Server, error) {
	port := options.Port
	if port == 0 {
		var err error
		if port, err = freePort(); err != nil {
			return nil, err
		}
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	command, err := newCommand(context.Background(), options, "serve", "--http", address)
	if err != nil {
		return nil, err
	}
	server := &Server{
		URL: "http://" + address, Port: port, Dir: options.Dir,
		options: options, command: command, output: new(outputBuffer), done: make(chan struct{}),
	}
	command.Stdout, command.Stderr = server.output, server.output
	if err := command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(server.done)
		_ = command.Wait() // ExitCode tells how it ended
	}()
	return server, nil
}

// Run runs a command of the binary, such as "superuser upsert", on the data
// folder and with the environment of options, to its end.
func Run(ctx context.Context, options Options, arguments ...string) (output string, exitCode int, err error) {
	command, err := newCommand(ctx, options, arguments...)
	if err != nil {
		return "", 0, err
	}
	combined, err := command.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); ended && ctx.Err() == nil {
		err = nil
	}
	return string(combined), command.ProcessState.ExitCode(), err
}

func newCommand(ctx context.Context, options Options, arguments ...string) (*exec.Cmd, error) {
	binary, err := Binary()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(options.Dir, 0o700); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, binary, slices.Concat(arguments, []string{"--dir", options.Dir})...)
	command.Dir = options.Dir // no pb_public of the developer's shows up
	command.Env = environment(options.Env)
	return command, nil
}

func environment(extra []string) []string {
	var result []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOCOVERDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			result = append(result, name+"="+value)
		}
	}
	result = append(result,
		"AUTH_RATE_LIMIT=0", "API_RATE_LIMIT=0",
		"SUPERUSER_EMAIL="+SuperuserEmail, "SUPERUSER_PASSWORD="+SuperuserPassword,
		"SOKUJI_SECRET="+Secret,
	)
	return append(result, extra...)
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	address, _ := listener.Addr().(*net.TCPAddr)
	return address.Port, listener.Close()
}

func (s *Server) awaitHealth() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		answer, err := s.Call(ctx, Request{Path: "/api/health"})
		if err == nil && answer.Status == 200 {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("the server ended at its start with exit code %d", s.ExitCode())
		case <-ctx.Done():
			return fmt.Errorf("the server did not answer within %s: %w", startTimeout, err)
		case <-time.After(pollEvery):
		}
	}
}

// Restart starts a new server like this one, on the same data folder and a free
// port. This one must have ended. The folder's deletion passes to the new one.
func (s *Server) Restart() (*Server, error) {
	next, err := open(s.options)
	if err != nil {
		return nil, err
	}
	next.ownDir, s.ownDir = s.ownDir, false
	return next, nil
}

// Kill ends the process as a crash would (SIGKILL), and waits until it is gone.
func (s *Server) Kill() {
	_ = s.command.Process.Kill() // it may have ended before
	<-s.done
}

// Stop asks the process to end (SIGTERM) and returns its exit code. One that
// does not end in time is killed, which is an error.
func (s *Server) Stop() (exitCode int, err error) {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, err
	}
	select {
	case <-s.done:
		return s.ExitCode(), nil
	case <-time.After(stopTimeout):
		s.Kill()
		return s.ExitCode(), fmt.Errorf("the server did not end within %s of SIGTERM", stopTimeout)
	}
}

// Close kills the process if it still runs, and deletes a data folder that Open
// made.
func (s *Server) Close() error {
	s.Kill()
	if s.ownDir {
		return os.RemoveAll(s.Dir)
	}
	return nil
}

// Done is closed when the process has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// ExitCode is the code of a process that has ended; -1 when a signal ended it.
func (s *Server) ExitCode() int {
	<-s.done
	return s.command.ProcessState.ExitCode()
}

// PID is the process's id.
func (s *Server) PID() int { return s.command.Process.Pid }

// Output is what the process has written to stdout and stderr so far.
func (s *Server) Output() string { return s.output.String() }

// outputBuffer collects what a process writes while others read it.
type outputBuffer struct {
	mutex sync.Mutex
	text  []byte
}

func (b *outputBuffer) Write(text []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.text = append(b.text, text...)
	return len(text), nil
}

func (b *outputBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return string(b.text)
}
