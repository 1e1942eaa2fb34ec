package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// The roles that this binary plays when it starts itself again.
const (
	roleFlag     = "-role"
	roleBare     = "bare"
	roleNaive    = "naive"
	roleProvider = "provider"
	roleProxy    = "proxy"
)

// roleStartTimeout bounds how long a role may fill its file before it listens.
const roleStartTimeout = 5 * time.Minute

// isRole tells whether the process was started to play a role.
func isRole(arguments []string) bool {
	return len(arguments) > 0 && strings.HasPrefix(arguments[0], roleFlag+"=")
}

func playRole(arguments []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	role := flags.String(strings.TrimPrefix(roleFlag, "-"), "", "what to be")
	folder := flags.String("folder", "", "data folder")
	rows := flags.Int("rows", 0, "ledger rows to begin with")
	wallets := flags.Int("wallets", 0, "wallets to begin with")
	upstream := flags.String("upstream", "", "where a proxy sends everything")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	go endWithParent()
	switch *role {
	case roleBare:
		return serveBare()
	case roleNaive:
		return serveNaive(*folder, *wallets, *rows)
	case roleProvider:
		return serveProvider()
	case roleProxy:
		return serveProxy(*upstream)
	}
	return fmt.Errorf("there is no role %q", *role)
}

// endWithParent ends the process when the one that started it is gone, even if
// that one was killed: then nobody holds the other end of the pipe.
func endWithParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// process is a role that runs and listens.
type process struct {
	URL     string
	command *exec.Cmd
}

func startBare(ctx context.Context) (*process, error) {
	return startRole(ctx, roleFlag+"="+roleBare)
}

func startNaive(ctx context.Context, folder string, wallets, rows int) (*process, error) {
	return startRole(ctx, roleFlag+"="+roleNaive, "-folder="+folder,
		"-wallets="+strconv.Itoa(wallets), "-rows="+strconv.Itoa(rows))
}

func startProvider(ctx context.Context) (*process, error) {
	return startRole(ctx, roleFlag+"="+roleProvider)
}

func startProxy(ctx context.Context, upstream string) (*process, error) {
	return startRole(ctx, roleFlag+"="+roleProxy, "-upstream="+upstream)
}

// startRole starts this binary again and waits until it says where it listens.
func startRole(ctx context.Context, arguments ...string) (*process, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, binary, arguments...)
	command.Stderr = os.Stderr
	if _, err := command.StdinPipe(); err != nil { // see endWithParent
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	started := &process{command: command}
	late := time.AfterFunc(roleStartTimeout, func() { _ = command.Process.Kill() })
	defer late.Stop()
	address, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		started.close()
		return nil, fmt.Errorf("%s did not start: %w", arguments[0], err)
	}
	started.URL = "http://" + strings.TrimSpace(address)
	return started, nil
}

// close ends the process; nothing in its folder is worth a clean ending.
func (p *process) close() {
	_ = p.command.Process.Kill() // it may have ended before
	_ = p.command.Wait()         // which reports the kill
}

// announce tells the parent where a role listens.
func announce(address string) {
	fmt.Println(address)
}
