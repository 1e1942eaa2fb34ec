package hooks

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"sokuji/internal/ledger/verify"
)

// executeWith runs the process's own entry with other arguments. "{dir}" stands for
// a data folder that is not there, which is returned.
func executeWith(t *testing.T, arguments ...string) (folder string, err error) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "pb_data")
	for i := range arguments {
		arguments[i] = strings.ReplaceAll(arguments[i], "{dir}", folder)
	}
	before := os.Args
	os.Args = append([]string{"sokuji"}, arguments...)
	t.Cleanup(func() { os.Args = before })
	app := pocketbase.NewWithConfig(pocketbase.Config{DBConnect: ConnectDatabase, HideStartBanner: true})
	bootstraps := false
	app.OnBootstrap().BindFunc(func(*core.BootstrapEvent) error {
		bootstraps = true
		return errors.New("PocketBase was started")
	})
	err = Execute(app)
	if bootstraps {
		t.Errorf("%v: PocketBase was started", arguments)
	}
	return folder, err
}

// PocketBase would make the folder, open its files to write and migrate them.
func TestLedgerCommandsDoNotStartPocketBase(t *testing.T) {
	for _, line := range []string{
		"ledger verify --dir {dir}", "--dir {dir} ledger verify", "--dir={dir} ledger checkpoint", "ledger --dir {dir} statement alice",
		"ledger verify --checkpoint nowhere --dir {dir}", "ledger verify --statement nowhere --dir {dir}", "ledger verify --backup {dir}/data.db",
	} {
		folder, err := executeWith(t, strings.Fields(line)...)
		if err == nil || !strings.Contains(err.Error(), "no such file") {
			t.Errorf("%s: %v", line, err)
		}
		if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s made a data folder (%v)", line, err)
		}
	}
}

// A file that somebody wrote to meanwhile proves nothing, so neither the findings
// nor an error of the reading may be told as if it did.
func TestWhatWasReadFromAChangedFileIsDropped(t *testing.T) {
	h := newHouse(t)
	h.spend()
	path := h.bareCopy()
	command := &cobra.Command{}
	command.SetContext(t.Context())
	source := booksSource{backup: path}
	torn := errors.New("read in two halves")
	err := source.read(command, func(*verify.Database) error {
		later := time.Now().Add(time.Hour)
		if err := os.Chtimes(path, later, later); err != nil {
			t.Fatal(err)
		}
		return torn
	})
	if !errors.Is(err, verify.ErrChanged) || errors.Is(err, torn) {
		t.Errorf("got %v", err)
	}
	// The reading's own error is told when nobody wrote.
	if err := source.read(command, func(*verify.Database) error { return torn }); !errors.Is(err, torn) {
		t.Errorf("got %v", err)
	}
}
