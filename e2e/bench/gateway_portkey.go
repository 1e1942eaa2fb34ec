package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

const (
	portkeyPackage = "@portkey-ai/gateway@1.15.2"
	portkeyStart   = "node_modules/@portkey-ai/gateway/build/start-server.js"
	// portkeyTimeout bounds its installation, and then its start.
	portkeyTimeout = 2 * time.Minute
	portkeyPoll    = 50 * time.Millisecond
)

// startPortkey installs the Portkey gateway into the folder of the experiment and
// starts it. It is nil, without an error, where there is no npm, and in a smoke test.
func startPortkey(ctx context.Context, l *lab) (*process, error) {
	if !l.sizes.peers {
		return nil, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		fmt.Fprintln(l.progress, "there is no npm here: the Portkey gateway is left out")
		return nil, nil
	}
	folder := filepath.Join(l.folder, "portkey")
	ctx, cancel := context.WithTimeout(ctx, portkeyTimeout)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "install", "--prefix", folder, "--no-audit", "--no-fund", portkeyPackage)
	if output, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("install %s: %w\n%s", portkeyPackage, err, output)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	started := &process{
		URL:     "http://127.0.0.1:" + strconv.Itoa(port),
		command: exec.Command("node", filepath.Join(folder, portkeyStart), "--port="+strconv.Itoa(port), "--headless"),
	}
	if err := started.command.Start(); err != nil {
		return nil, err
	}
	if err := awaitListener(ctx, hostOf(started.URL)); err != nil {
		started.close()
		return nil, fmt.Errorf("%s did not start: %w", portkeyPackage, err)
	}
	return started, nil
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

func awaitListener(ctx context.Context, host string) error {
	for {
		socket, err := net.DialTimeout("tcp", host, portkeyPoll)
		if err == nil {
			return socket.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(portkeyPoll):
		}
	}
}
