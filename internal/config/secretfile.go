package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unicode/utf8"
)

const (
	// SecretFileName is the name of the generated secret's file in the data
	// folder. Backups must keep it: without it every session and every default
	// API key is void.
	SecretFileName = "sokuji_secret"

	// secretFileBytes is how many random bytes a generated secret has; in
	// base64url they are 64 characters.
	secretFileBytes = 48

	// maxSecretFileBytes is the largest secret file that is read, in bytes.
	maxSecretFileBytes = 4096

	secretFilePermissions = 0o600
	dataFolderPermissions = 0o700
)

// LoadOrCreateSecret reads the secret from the data folder. When there is none,
// it makes one of 48 random bytes if create is true, and returns an unset
// Secret if not.
//
// The file appears whole or not at all, is on disk when this returns, and never
// replaces another: of several processes that create it at once, all get the
// same secret. A file that others than its owner may read is refused with the
// command that puts it right, and so is one that is too short or too long to be
// a secret.
func LoadOrCreateSecret(dataDir string, create bool) (Secret, error) {
	path := filepath.Join(dataDir, SecretFileName)
	secret, err := readSecretFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if !create {
		return Secret{}, nil
	}
	if err := createSecretFile(dataDir, path, os.Link); err != nil {
		return Secret{}, fmt.Errorf("create the secret file: %w", err)
	}
	return readSecretFile(path)
}

// readSecretFile returns the secret, or an error that wraps fs.ErrNotExist.
func readSecretFile(path string) (Secret, error) {
	file, err := os.Open(path)
	if err != nil {
		return Secret{}, fmt.Errorf("read the secret file: %w", err)
	}
	defer file.Close()
	if err := checkSecretFile(file); err != nil {
		return Secret{}, err
	}
	content, err := io.ReadAll(io.LimitReader(file, maxSecretFileBytes+1))
	if err != nil {
		return Secret{}, fmt.Errorf("read the secret file: %w", err)
	}
	text := strings.TrimSpace(string(content))
	if len(content) > maxSecretFileBytes || utf8.RuneCountInString(text) < MinSecretLength {
		return Secret{}, fmt.Errorf("the secret file %s is damaged: restore it from a backup, or delete it to make "+
			"a new one, which signs every user out and changes every default API key", path)
	}
	return NewSecret(text), nil
}

// checkSecretFile refuses what is not a file of its owner's alone. It asks the
// open file, so that the answer is about the file that is read.
func checkSecretFile(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("read the secret file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("the secret file %s is not a regular file: delete it to make a new one", file.Name())
	}
	// Windows has no such permissions and reports 0666 for every file.
	if runtime.GOOS != "windows" && info.Mode().Perm()&^secretFilePermissions != 0 {
		return fmt.Errorf("the secret file %s must be its owner's alone (mode 0600) and has mode %04o: run chmod 600 %s",
			file.Name(), info.Mode().Perm(), file.Name())
	}
	return nil
}

// createSecretFile writes a new secret beside its place and links it there,
// which fails when another process was faster; that one's secret counts.
func createSecretFile(dataDir, path string, link func(from, to string) error) error {
	if err := os.MkdirAll(dataDir, dataFolderPermissions); err != nil {
		return err
	}
	text := newSecretText()
	temporary, err := os.CreateTemp(dataDir, "."+SecretFileName+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	if err := writeDurably(temporary, text); err != nil {
		return err
	}
	if link(temporary.Name(), path) != nil {
		// Either the file is there by now, which this reports again, or the file
		// system has no hard links, as some network and container ones do.
		err = createExclusively(path, text)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(dataDir)
}

// newSecretText returns 64 base64url characters.
func newSecretText() string {
	random := make([]byte, secretFileBytes)
	rand.Read(random) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(random)
}

// createExclusively writes the file in its place, and removes it again unless
// all of it is on disk.
func createExclusively(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, secretFilePermissions)
	if err != nil {
		return err
	}
	if err := writeDurably(file, text); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// writeDurably writes one line, waits for the disk and closes the file.
func writeDurably(file *os.File, text string) error {
	_, err := file.WriteString(text + "\n")
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// syncFolder puts the name of a new file on disk.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // Windows cannot sync a folder, and does not need to.
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
