package hooks

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// simulateCommand runs "sokuji simulate …" in an empty folder and returns its
// output; the folder must stay empty.
func simulateCommand(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	root := &cobra.Command{Use: "sokuji", SilenceErrors: true}
	root.PersistentFlags().String("dir", filepath.Join(t.TempDir(), "pb_data"), "")
	root.AddCommand(newSimulateCommand())
	var output bytes.Buffer
	root.SetOut(&output)
	root.SetArgs(append([]string{"simulate"}, arguments...))
	err := root.ExecuteContext(t.Context())
	if files, readErr := os.ReadDir("."); readErr != nil || len(files) > 0 {
		t.Errorf("the command left %v (%v)", files, readErr)
	}
	return output.String(), err
}

func TestSimulateIsTheSameForTheSameSeed(t *testing.T) {
	form := regexp.MustCompile(`^seed \d+: [^\n]+\ntrace [0-9a-f]{64}\n$`)
	run := func(seed string) string {
		output, err := simulateCommand(t, "--seed", seed, "--steps", "40")
		if err != nil || !form.MatchString(output) {
			t.Fatalf("got %q, %v", output, err)
		}
		return output
	}
	first, again, other := run("5"), run("5"), run("6")
	if first != again {
		t.Errorf("the same seed gave %q and %q", first, again)
	}
	if first[strings.Index(first, "trace"):] == other[strings.Index(other, "trace"):] {
		t.Error("two seeds gave the same trace")
	}
}

func TestSimulateRunsManySeeds(t *testing.T) {
	output, err := simulateCommand(t, "--seed", "100", "--seeds", "3", "--steps", "20")
	if err != nil || !strings.HasPrefix(output, "3 seeds from 100: ") {
		t.Fatalf("got %q, %v", output, err)
	}
}

func TestSimulateTracesEveryStep(t *testing.T) {
	output, err := simulateCommand(t, "--seed", "3", "--steps", "10", "--trace")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"step 0 at 11-24 08:00:00.000\n", "\nstep 9 at ", "\nend "} {
		if !strings.Contains(output, line) {
			t.Errorf("%q is not in the trace", line)
		}
	}
}

func TestSimulateRefusesWhatItCannotRun(t *testing.T) {
	for name, test := range map[string]struct {
		arguments []string
		names     string
	}{
		"no steps":         {[]string{"--steps", "0"}, "--steps"},
		"too many steps":   {[]string{"--steps", "100001"}, "--steps"},
		"no seeds":         {[]string{"--seeds", "0"}, "--seeds"},
		"past the last":    {[]string{"--seed", "18446744073709551615", "--seeds", "2"}, "--seeds"},
		"a trace of many":  {[]string{"--seeds", "2", "--trace"}, "--trace"},
		"a negative seed":  {[]string{"--seed", "-1"}, "seed"},
		"an argument more": {[]string{"7"}, "7"},
	} {
		if output, err := simulateCommand(t, test.arguments...); err == nil || !strings.Contains(err.Error(), test.names) {
			t.Errorf("%s: got %q, %v", name, output, err)
		}
	}
}
