package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	demoReadyPause  = 50 * time.Millisecond
	demoReadyTime   = 30 * time.Second
	demoHTTPTimeout = 10 * time.Second
	// demoStopTime is how long the server may take to finish what runs.
	demoStopTime = drainTimeout + 5*time.Second
)

// demoServer is the server of a demo: this same program, as its own process, so
// that a demo is served by nothing but what serves always.
type demoServer struct {
	url     string
	process *exec.Cmd
	ended   chan struct{}
}

// startDemoServer starts it with the fake provider as the only one.
func startDemoServer(address string, folder *demoFolder, provider string, messages io.Writer) (*demoServer, error) {
	url, err := demoURL(address)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &demoServer{url: url, ended: make(chan struct{})}
	s.process = exec.Command(program, "serve", "--http", address, "--dir", folder.path)
	s.process.Env = demoEnvironment(os.Environ(), folder.people, provider)
	s.process.Stderr = messages // what it prints otherwise is for operators
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	go func() {
		_ = s.process.Wait() // how it ended is in the state of the process
		close(s.ended)
	}()
	return s, nil
}

// demoURL is where an address is reached from this machine. Nobody may listen there
// yet: what a demo does must not be done to another server.
func demoURL(address string) (string, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", fmt.Errorf("--http: %w", err)
	}
	if err := listener.Close(); err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("--http: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// demoProviderVariables begin the names of what the demo decides by itself.
var demoProviderVariables = []string{"OPENAI_", "ANTHROPIC_", "GATEWAY_", "SUPERUSER_"}

// demoEnvironment is the environment with the demo's settings. A real provider's
// key is not in it: no demo spends anybody's money.
func demoEnvironment(environment []string, people demoPeople, provider string) []string {
	var kept []string
	for _, variable := range environment {
		if !hasAnyPrefix(variable, demoProviderVariables) {
			kept = append(kept, variable)
		}
	}
	return append(kept,
		"SUPERUSER_EMAIL="+people.SuperuserEmail, "SUPERUSER_PASSWORD="+people.SuperuserPassword,
		"OPENAI_API_KEY=fake-key", "OPENAI_BASE_URL="+provider+"/v1",
		"ANTHROPIC_API_KEY=fake-key", "ANTHROPIC_BASE_URL="+provider,
		"GATEWAY_ALLOW_PRIVATE=true",
	)
}

func hasAnyPrefix(text string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// waitUntilReady asks until the server says that it is.
func (s *demoServer) waitUntilReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoReadyTime)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/health/ready", nil)
		if err != nil {
			return fmt.Errorf("--http: %w", err)
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-time.After(demoReadyPause):
		case <-ctx.Done():
			return fmt.Errorf("the server does not become ready: %w", ctx.Err())
		}
	}
}

// blame says why a demo ends: because the server did by itself, or because of err,
// or because somebody asked for it, which is no error.
func (s *demoServer) blame(asked context.Context, err error) error {
	if asked.Err() != nil {
		return nil
	}
	select {
	case <-s.ended:
		return fmt.Errorf("the server ended by itself (%v): see what it says above", s.process.ProcessState)
	default:
		return err
	}
}

// stop ends the server, and waits for it. Ctrl-C in a terminal has reached it
// already, and a second signal does no harm.
func (s *demoServer) stop() error {
	select {
	case <-s.ended:
		return nil
	default:
	}
	if err := s.process.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		_ = s.process.Process.Kill() // a system without signals
	}
	select {
	case <-s.ended:
		return nil
	case <-time.After(demoStopTime):
		_ = s.process.Process.Kill()
		<-s.ended
		return errors.New("the server did not end, and was killed")
	}
}
