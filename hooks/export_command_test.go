package hooks

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// export runs "sokuji export …" as the command line does.
func exportOf(t *testing.T, dir string, arguments ...string) (output string, err error) {
	t.Helper()
	root := &cobra.Command{Use: "sokuji", SilenceErrors: true}
	root.PersistentFlags().String("dir", dir, "")
	root.AddCommand(newExportCommand())
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs(append([]string{"export"}, arguments...))
	err = root.ExecuteContext(t.Context())
	return out.String(), err
}

// It runs beside the server, on its files, and changes none.
func TestExportBesideAServer(t *testing.T) {
	h := newHouse(t)
	h.spend()
	h.defaultKey()
	before := h.snapshot()
	place := t.TempDir()
	for format, want := range map[string]string{"sql": "out.sql", "jsonl": filepath.Join("out", "wallet_ledger.jsonl")} {
		out := filepath.Join(place, strings.Split(want, string(filepath.Separator))[0])
		output, err := exportOf(t, h.app.DataDir(), "--format", format, "--out", out)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"wallet_ledger       4\n", "written to " + out} {
			if !strings.Contains(output, line) {
				t.Errorf("%s: it does not say %q: %s", format, line, output)
			}
		}
		content, err := os.ReadFile(filepath.Join(place, want))
		if err != nil || strings.Count(string(content), h.alice.Id) < 4 {
			t.Errorf("%s: %v, %s", format, err, content)
		}
	}
	h.unchanged(before)
}

func TestExportOfABackup(t *testing.T) {
	h := newHouse(t)
	h.spend()
	copied := h.bareCopy()
	for _, backup := range []string{copied, zipOf(t, copied)} {
		out := filepath.Join(t.TempDir(), "out.sql")
		if output, err := exportOf(t, "", "--backup", backup, "--out", out); err != nil || !strings.Contains(output, "written to") {
			t.Errorf("%s: %s, %v", backup, output, err)
		}
	}
}

func TestExportSaysWhatIsWrong(t *testing.T) {
	h := newHouse(t)
	taken := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dir       string
		arguments []string
		want      string
	}{
		"a format":         {h.app.DataDir(), []string{"--format", "csv"}, `--format: "csv" is neither sql nor jsonl`},
		"a file of ours":   {h.app.DataDir(), []string{"--out", taken}, "is there already"},
		"no data folder":   {filepath.Join(t.TempDir(), "none"), []string{"--out", filepath.Join(t.TempDir(), "x")}, "no such file"},
		"an argument":      {h.app.DataDir(), []string{"x"}, "unknown command"},
		"both sources":     {h.app.DataDir(), []string{"--dir", "x", "--backup", taken}, "exclude each other"},
		"no folder for it": {h.app.DataDir(), []string{"--out", filepath.Join(t.TempDir(), "no", "x")}, "no such file"},
	} {
		if _, err := exportOf(t, c.dir, c.arguments...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
