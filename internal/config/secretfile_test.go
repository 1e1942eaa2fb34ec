//go:build unix

package config

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// writeSecretFile puts a secret file with these permissions in a new folder.
func writeSecretFile(t *testing.T, content string, mode fs.FileMode) (folder string) {
	t.Helper()
	folder = t.TempDir()
	path := filepath.Join(folder, SecretFileName)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return folder
}

// fileNames lists a folder.
func fileNames(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestSecretFileIsCreatedOnceAndRead(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new", "folder")
	first, err := LoadOrCreateSecret(folder, true)
	if err != nil {
		t.Fatal(err)
	}
	random, err := base64.RawURLEncoding.DecodeString(string(first.Bytes()))
	if err != nil || len(random) != 48 {
		t.Fatalf("not 48 bytes in base64url: %d, %v", len(random), err)
	}
	for _, create := range []bool{true, false} {
		again, err := LoadOrCreateSecret(folder, create)
		if err != nil || !bytes.Equal(again.Bytes(), first.Bytes()) {
			t.Errorf("create %v: another secret, %v", create, err)
		}
	}
	if names := fileNames(t, folder); len(names) != 1 || names[0] != "sokuji_secret" {
		t.Errorf("the folder has %q", names)
	}
	for path, want := range map[string]fs.FileMode{folder: 0o700, filepath.Join(folder, "sokuji_secret"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v; want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

func TestSecretFilesDiffer(t *testing.T) {
	t.Parallel()
	first, err := LoadOrCreateSecret(t.TempDir(), true)
	second, otherErr := LoadOrCreateSecret(t.TempDir(), true)
	if err := errors.Join(err, otherErr); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Fatal("two folders have one secret")
	}
}

func TestSecretFileIsNotCreatedUnlessAsked(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "missing")
	secret, err := LoadOrCreateSecret(folder, false)
	if err != nil || secret.IsSet() {
		t.Fatalf("got a secret %v, %v", secret.IsSet(), err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the folder was made: %v", err)
	}
}

func TestSecretFileOfTheOperator(t *testing.T) {
	t.Parallel()
	for _, mode := range []fs.FileMode{0o600, 0o400} {
		folder := writeSecretFile(t, "  "+goodSecret+"\r\n", mode)
		for _, create := range []bool{true, false} {
			secret, err := LoadOrCreateSecret(folder, create)
			if err != nil || string(secret.Bytes()) != goodSecret {
				t.Errorf("mode %v: got %q, %v", mode, secret.Bytes(), err)
			}
		}
	}
}

func TestSecretFileThatOthersCanReadIsRefused(t *testing.T) {
	t.Parallel()
	for _, mode := range []fs.FileMode{0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o700, 0o777} {
		folder := writeSecretFile(t, goodSecret, mode)
		secret, err := LoadOrCreateSecret(folder, true)
		if err == nil || secret.IsSet() {
			t.Errorf("mode %v was accepted", mode)
			continue
		}
		if want := "chmod 600 " + filepath.Join(folder, SecretFileName); !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
		expectNoSecret(t, err.Error())
	}
}

func TestSecretFileThatIsDamagedIsRefusedAndKept(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty": "", "blank": strings.Repeat(" ", 100), "short": shortSecret, "huge": strings.Repeat("x", 4097),
	} {
		folder := writeSecretFile(t, content, 0o600)
		secret, err := LoadOrCreateSecret(folder, true)
		if err == nil || secret.IsSet() {
			t.Errorf("%s: accepted", name)
			continue
		}
		if !strings.Contains(err.Error(), "restore it from a backup") {
			t.Errorf("%s: %q does not say what to do", name, err)
		}
		expectNoSecret(t, err.Error())
		kept, err := os.ReadFile(filepath.Join(folder, SecretFileName))
		if err != nil || string(kept) != content {
			t.Errorf("%s: the file was changed, %v", name, err)
		}
	}
	if _, err := LoadOrCreateSecret(writeSecretFile(t, strings.Repeat("x", 4096), 0o600), false); err != nil {
		t.Errorf("the largest file: %v", err)
	}
}

func TestSecretFileThatIsAFolderIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, SecretFileName), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateSecret(folder, true); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Fatalf("got %v", err)
	}
}

func TestSecretFileInAnUnusableFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if secret, err := LoadOrCreateSecret(file, true); err == nil || secret.IsSet() {
		t.Fatalf("got %v", err)
	}
}

func TestSecretFileOfManyCreators(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	secrets := make([]Secret, 20)
	var group sync.WaitGroup
	for i := range secrets {
		group.Go(func() {
			var err error
			if secrets[i], err = LoadOrCreateSecret(folder, true); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for i, secret := range secrets {
		if !secret.IsSet() || !bytes.Equal(secret.Bytes(), secrets[0].Bytes()) {
			t.Errorf("creator %d got another secret", i)
		}
	}
	if names := fileNames(t, folder); len(names) != 1 {
		t.Errorf("the folder has %q", names)
	}
}

func TestSecretFileWithoutHardLinks(t *testing.T) {
	t.Parallel()
	unsupported := func(string, string) error { return &os.LinkError{Op: "link", Err: errors.ErrUnsupported} }
	folder := t.TempDir()
	path := filepath.Join(folder, SecretFileName)
	for range 2 { // the second time the file is there and must stay
		before, _ := os.ReadFile(path)
		if err := createSecretFile(folder, path, unsupported); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(path)
		if err != nil || before != nil && !bytes.Equal(before, after) {
			t.Fatalf("the file was replaced, %v", err)
		}
	}
	secret, err := LoadOrCreateSecret(folder, false)
	if err != nil || len(secret.Bytes()) != 64 {
		t.Fatalf("got %d bytes, %v", len(secret.Bytes()), err)
	}
	if names := fileNames(t, folder); len(names) != 1 {
		t.Errorf("the folder has %q", names)
	}
}

func TestSecretFileIsNeverReplaced(t *testing.T) {
	t.Parallel()
	folder := writeSecretFile(t, goodSecret, 0o600)
	path := filepath.Join(folder, SecretFileName)
	if err := createSecretFile(folder, path, os.Link); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != goodSecret {
		t.Fatalf("the file was replaced, %v", err)
	}
	if names := fileNames(t, folder); len(names) != 1 {
		t.Errorf("the folder has %q", names)
	}
}

func TestDurableWriteReportsAFailure(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	readOnly, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeDurably(readOnly, "text"); err == nil {
		t.Fatal("a failed write was taken for a good one")
	}
}
