package testserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
)

// binaryVariable names a binary to test instead of one built from the sources.
const binaryVariable = "SOKUJI_BIN"

// Binary returns the path of the server's binary. It builds one from the sources
// at the first call in this process; RemoveBinary takes it away again.
func Binary() (string, error) {
	if given := os.Getenv(binaryVariable); given != "" {
		return filepath.Abs(given)
	}
	return buildOnce()
}

// RemoveBinary deletes what Binary built. Nothing is to be started after it.
func RemoveBinary() error {
	if built.folder == "" {
		return nil
	}
	return os.RemoveAll(built.folder)
}

var built struct{ folder string }

var buildOnce = sync.OnceValues(func() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	if built.folder, err = os.MkdirTemp("", "sokuji-e2e-bin-"); err != nil {
		return "", err
	}
	path := filepath.Join(built.folder, "sokuji")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return path, nil
})

// moduleRoot is the nearest folder above this file, or else above the working
// folder (for binaries built with -trimpath), that has a go.mod.
func moduleRoot() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	working, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for _, start := range []string{filepath.Dir(file), working} {
		for folder := start; filepath.IsAbs(folder); folder = filepath.Dir(folder) {
			if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
				return folder, nil
			}
			if folder == filepath.Dir(folder) {
				break
			}
		}
	}
	return "", errors.New("no go.mod above " + working + ": run inside the module, or set " + binaryVariable)
}
