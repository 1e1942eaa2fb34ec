package hooks

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestADemoTakesNoFolderThatIsNotADemos(t *testing.T) {
	path := t.TempDir()
	data := filepath.Join(path, "data.db")
	if err := os.WriteFile(data, []byte("books"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openDemoFolder(path); err == nil || !strings.Contains(err.Error(), "is no demo's") {
		t.Fatalf("takes it: %v", err)
	}
	found, err := os.ReadDir(path)
	if err != nil || len(found) != 1 {
		t.Errorf("left %v, %v", found, err)
	}
	if _, err := openDemoFolder(data); err == nil {
		t.Error("takes a file")
	}
}

func TestAFolderOfADemoKeepsItsPeople(t *testing.T) {
	for name, path := range map[string]string{"new": filepath.Join(t.TempDir(), "a", "demo"), "empty": t.TempDir()} {
		first, err := openDemoFolder(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := first.close(); err != nil {
			t.Fatal(err)
		}
		second, err := openDemoFolder(path)
		if err != nil || second.people != first.people || second.kept() != path {
			t.Errorf("%s: %+v is found again as %+v, %v", name, first, second, err)
		}
	}
}

func TestATemporaryDemoIsDeleted(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	folder, err := openDemoFolder("")
	if err != nil {
		t.Fatal(err)
	}
	if folder.kept() != "" {
		t.Errorf("keeps %s", folder.kept())
	}
	if err := folder.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder.path); !os.IsNotExist(err) {
		t.Errorf("is still there: %v", err)
	}
}

func TestThePeopleOfADemo(t *testing.T) {
	t.Setenv("SUPERUSER_EMAIL", "me@example.com")
	t.Setenv("SUPERUSER_PASSWORD", "my-own-password")
	if named := newDemoPeople(); named.SuperuserEmail != "me@example.com" || named.SuperuserPassword != "my-own-password" {
		t.Errorf("named: %+v", named)
	}
	t.Setenv("SUPERUSER_PASSWORD", "")
	first, second := newDemoPeople(), newDemoPeople()
	if first.SuperuserPassword == second.SuperuserPassword || len(first.UserPassword) < 20 {
		t.Errorf("made up: %+v, %+v", first, second)
	}
}

func TestWhereADemoIsReached(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := taken.Addr().String()
	if url, err := demoURL(address); err == nil {
		t.Errorf("a server that is there already is taken for the demo's: %s", url)
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"127.0.0.1:" + port: "http://127.0.0.1:" + port, ":" + port: "http://127.0.0.1:" + port, "0.0.0.0:" + port: "http://127.0.0.1:" + port,
	} {
		if got, err := demoURL(address); err != nil || got != want {
			t.Errorf("%s is %s, %v", address, got, err)
		}
	}
	if _, err := demoURL("nonsense"); err == nil {
		t.Error("nonsense is an address")
	}
}

// A key of a real provider must not get into a demo, whatever the shell has.
func TestTheEnvironmentOfADemo(t *testing.T) {
	got := demoEnvironment([]string{
		"PATH=/bin", "OPENAI_API_KEY=sk-real", "OPENAI_BASE_URL=https://real.example", "ANTHROPIC_API_KEY=sk-ant-real", "SUPERUSER_PASSWORD=other",
	}, demoPeople{SuperuserEmail: "root@example.com", SuperuserPassword: "secret"}, "http://127.0.0.1:1")
	text := strings.Join(got, "\n")
	for _, wrong := range []string{"real", "other"} {
		if strings.Contains(text, wrong) {
			t.Errorf("%s is in %s", wrong, text)
		}
	}
	for _, wanted := range []string{
		"PATH=/bin", "OPENAI_BASE_URL=http://127.0.0.1:1/v1", "ANTHROPIC_BASE_URL=http://127.0.0.1:1", "GATEWAY_ALLOW_PRIVATE=true", "SUPERUSER_PASSWORD=secret",
	} {
		if !slices.Contains(got, wanted) {
			t.Errorf("%s is not in %s", wanted, text)
		}
	}
}

func TestWhatADemoSays(t *testing.T) {
	var out bytes.Buffer
	err := printDemo(&out, demoText{URL: "http://127.0.0.1:1", Key: "sk-sokuji-x", People: demoPeople{UserEmail: "demo@example.com", UserPassword: "pw"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, wanted := range []string{
		"DEMO", "curl http://127.0.0.1:1/v1/chat/completions", "baseURL: 'http://127.0.0.1:1/v1'", "baseURL: 'http://127.0.0.1:1'", "sk-sokuji-x", "deleted at the end", "Ctrl-C",
	} {
		if !strings.Contains(out.String(), wanted) {
			t.Errorf("does not say %q: %s", wanted, out.String())
		}
	}
	out.Reset()
	if err := printDemo(&out, demoText{Kept: "/somewhere"}); err != nil || !strings.Contains(out.String(), "stays in /somewhere") {
		t.Errorf("%v: %s", err, out.String())
	}
}
