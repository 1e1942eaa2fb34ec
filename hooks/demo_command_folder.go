package hooks

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// demoMarker is the file that makes a folder a demo's. It holds the demo's people,
// so that a second run on the folder finds them again.
const demoMarker = "sokuji-demo.json"

// demoFileMode keeps the demo's passwords to whoever runs it.
const demoFileMode = 0o600

// demoPeople are the two that a demo has.
type demoPeople struct {
	SuperuserEmail    string `json:"superuserEmail"`
	SuperuserPassword string `json:"superuserPassword"`
	UserEmail         string `json:"userEmail"`
	UserPassword      string `json:"userPassword"`
}

// demoFolder is where a demo keeps its data.
type demoFolder struct {
	path        string
	isTemporary bool
	people      demoPeople
}

// openDemoFolder makes a temporary folder, or takes the named one if it is empty,
// not there, or another demo's. Any other folder stays as it is.
func openDemoFolder(path string) (*demoFolder, error) {
	folder := &demoFolder{path: path, people: newDemoPeople()}
	if path == "" {
		var err error
		if folder.path, err = os.MkdirTemp("", "sokuji-demo-"); err != nil {
			return nil, err
		}
		folder.isTemporary = true
		return folder, folder.mark()
	}
	found, err := os.ReadDir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(path, dataFolderMode); err != nil {
			return nil, err
		}
		return folder, folder.mark()
	case err != nil:
		return nil, fmt.Errorf("--dir: %w", err)
	case len(found) == 0:
		return folder, folder.mark()
	}
	return folder, folder.recall()
}

// newDemoPeople has passwords that nobody knows before, since the server may be
// reached by others.
func newDemoPeople() demoPeople {
	people := demoPeople{
		SuperuserEmail: os.Getenv("SUPERUSER_EMAIL"), SuperuserPassword: os.Getenv("SUPERUSER_PASSWORD"),
		UserEmail: "demo@example.com", UserPassword: rand.Text(),
	}
	if people.SuperuserEmail == "" || people.SuperuserPassword == "" {
		people.SuperuserEmail, people.SuperuserPassword = "root@example.com", rand.Text()
	}
	return people
}

func (f *demoFolder) mark() error {
	text, err := json.MarshalIndent(f.people, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(f.path, demoMarker), text, demoFileMode)
}

// recall reads the people of an earlier demo.
func (f *demoFolder) recall() error {
	text, err := os.ReadFile(filepath.Join(f.path, demoMarker))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--dir: %s is not empty and is no demo's: choose another folder, or leave --dir out", f.path)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &f.people); err != nil {
		return fmt.Errorf("--dir: %s in %s cannot be read: %w", demoMarker, f.path, err)
	}
	return nil
}

// kept is the path of a folder that stays, empty for one that does not.
func (f *demoFolder) kept() string {
	if f.isTemporary {
		return ""
	}
	return f.path
}

func (f *demoFolder) close() error {
	if !f.isTemporary {
		return nil
	}
	return os.RemoveAll(f.path)
}
