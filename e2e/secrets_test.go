package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sokuji/e2e/testserver"
)

const (
	canarySecret    = "CanarySecretZq7Rk2Vw9Lx4Tn8Hs3Jd6"
	canaryOldSecret = "CanaryFormerMp5Bc1Yg8Kf3Wa7Qe2Uo9"
	canaryRoot      = "CanaryRootPw4Xz9Nv"
)

// secretShapes catch what the tour did not think of: any whole API key, any JWT.
var secretShapes = map[string]*regexp.Regexp{
	"an API key": regexp.MustCompile(`sk-sokuji-[0-9A-Za-z]{40}`),
	"a JWT":      regexp.MustCompile(`eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}`),
}

// After a tour of all routes, good and bad, no secret is in what the server
// prints or in any file that it writes.
func TestNoSecretIsPrintedOrStored(t *testing.T) {
	server := testserver.Start(t, testserver.Options{Env: []string{
		"SOKUJI_SECRET=" + canarySecret, "BETTER_AUTH_SECRET=" + canaryOldSecret, "SUPERUSER_PASSWORD=" + canaryRoot,
	}})
	tour := &tour{t: t, server: server, secrets: map[string]string{
		"SOKUJI_SECRET": canarySecret, "BETTER_AUTH_SECRET": canaryOldSecret, "SUPERUSER_PASSWORD": canaryRoot,
	}}
	tour.run()

	t.Run("while the server runs", func(t *testing.T) { tour.search(t, nil) })
	if exitCode, err := server.Stop(); err != nil || exitCode != 0 {
		t.Fatalf("the server ended with exit code %d, %v", exitCode, err)
	}
	t.Run("after the request log was written", func(t *testing.T) { tour.search(t, nil) })
	t.Logf("%d secrets of %d requests", len(tour.secrets), tour.requests)
}

// Tokens that have to travel in an address, as those of PocketBase's files and of
// links do, must not stay behind in the request log.
func TestATokenInAnAddressIsNotLogged(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	tour := &tour{t: t, server: server, secrets: map[string]string{"a one-time token": "CanaryOneTime8Rf2Wk5Np"}}
	token := tour.mustVisit("a file token", "token", post("/api/files/token", superuserToken(t, server), map[string]string{}))
	tour.visit(testserver.Request{Path: "/api/files/users/nobody/nothing.png?token=" + token})
	tour.visit(testserver.Request{Path: "/api/backups/nothing.zip?token=" + token})
	tour.visit(testserver.Request{Path: "/api/ott/verify?redirect=%2F&token=" + tour.secrets["a one-time token"]})
	// An API key does not open PocketBase's routes: this one is refused early on.
	user := newUser(t, server)
	mint(t, server, user.ID, 1)
	key := tour.mustVisit("an API key", "apiKey", testserver.Request{Path: "/api/user/api-key", Token: user.Token})
	tour.visit(testserver.Request{Path: "/api/files/users/nobody/refused.png?token=" + token, Token: key})
	if exitCode, err := server.Stop(); err != nil || exitCode != 0 {
		t.Fatalf("the server ended with exit code %d, %v", exitCode, err)
	}
	tour.search(t, nil)
}

// The search itself must be able to find something.
func TestTheSearchForSecretsFindsWhatIsThere(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	user := newUser(t, server)
	tour := &tour{t: t, server: server, secrets: map[string]string{"the address": user.Email}}
	found := map[string][]string{}
	tour.search(t, func(name, place string) { found[name] = append(found[name], place) })
	if places := found["the address"]; !slices.ContainsFunc(places, func(p string) bool { return strings.HasPrefix(p, "data.db") }) {
		t.Errorf("the address of a user was found in %v, want data.db or its WAL", places)
	}
}

// search reads all that the server wrote. What it finds is an error, unless
// report takes it.
func (v *tour) search(t *testing.T, report func(name, place string)) {
	t.Helper()
	if report == nil {
		report = func(name, place string) { t.Errorf("%s is in %s", name, place) }
	}
	for place, content := range v.written(t) {
		for name, secret := range v.secrets {
			if bytes.Contains(content, []byte(secret)) {
				report(name, place)
			}
		}
		for name, shape := range secretShapes {
			if match := shape.FindIndex(content); match != nil {
				report(name, place)
			}
		}
	}
}

// written is the output of the server and of commands beside it, and every file
// of the data folder.
func (v *tour) written(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{"stdout and stderr": []byte(v.server.Output()), "the output of a command": []byte(v.printed)}
	err := filepath.WalkDir(v.server.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(v.server.Dir, path)
		if err != nil {
			return err
		}
		all[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"data.db", "auxiliary.db"} {
		if len(all[name]) == 0 {
			t.Fatalf("%s is empty or missing: there was nothing to search", name)
		}
	}
	return all
}

func TestAWrongSecretIsRefusedWithoutBeingRepeated(t *testing.T) {
	for _, test := range []struct{ name, variable, value string }{
		{"a short SOKUJI_SECRET", "SOKUJI_SECRET", "CanaryShort1"},
		{"a short BETTER_AUTH_SECRET that would sign", "BETTER_AUTH_SECRET", "CanaryShort2"},
		{"a short SUPERUSER_PASSWORD", "SUPERUSER_PASSWORD", "Canary3"},
		{"a long SUPERUSER_PASSWORD", "SUPERUSER_PASSWORD", strings.Repeat("Canary4", 20)},
	} {
		t.Run(test.name, func(t *testing.T) {
			options := testserver.Options{Dir: t.TempDir(), Env: []string{"SOKUJI_SECRET=", test.variable + "=" + test.value}}
			output, exitCode, err := testserver.Run(bounded(t), options, "serve", "--http", "127.0.0.1:0")
			if err != nil || exitCode == 0 {
				t.Errorf("serve ended with exit code %d, %v; want a refusal", exitCode, err)
			}
			if !strings.Contains(output, test.variable) || strings.Contains(output, test.value) {
				t.Errorf("the refusal must name %s and not repeat its value: %s", test.variable, output)
			}
		})
	}
}

func TestTheGeneratedSecretIsItsOwnersAloneAndStays(t *testing.T) {
	server := testserver.Start(t, testserver.Options{Env: []string{"SOKUJI_SECRET="}})
	user, ctx := newUser(t, server), bounded(t)
	mint(t, server, user.ID, 1)
	key := showKey(ctx, server, user, "GET", "/api/user/api-key")
	path := filepath.Join(server.Dir, "sokuji_secret")
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("sokuji_secret is %v, %v; want a file of mode 0600", info, err)
	}
	generated, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	server.Kill()
	server = testserver.StartAgain(t, server)
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, generated) {
		t.Errorf("sokuji_secret changed with a restart, or is gone: %v", err)
	}
	if status := keyStatus(t, server, key); status != 200 {
		t.Errorf("the default key answers %d after a restart, want 200", status)
	}
	if again := showKey(ctx, server, user, "GET", "/api/user/api-key"); again.err != nil || again.text != key.text {
		t.Errorf("another default key is shown after a restart (%v)", again.err)
	}
	secret := strings.TrimSpace(string(generated))
	if strings.Contains(server.Output(), secret) {
		t.Error("the generated secret is in the output")
	}
	for _, name := range []string{"data.db", "data.db-wal", "auxiliary.db", "auxiliary.db-wal"} {
		content, err := os.ReadFile(filepath.Join(server.Dir, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(secret)) {
			t.Errorf("the generated secret is in %s", name)
		}
	}
}

// A secret file that others may read is refused before anything is signed with it.
func TestASecretFileOfOthersIsRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sokuji_secret")
	if err := os.WriteFile(path, []byte(canarySecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil { // whatever the umask
		t.Fatal(err)
	}
	options := testserver.Options{Dir: dir, Env: []string{"SOKUJI_SECRET="}}
	started := time.Now()
	output, exitCode, err := testserver.Run(bounded(t), options, "serve", "--http", "127.0.0.1:0")
	if err != nil || exitCode == 0 || !strings.Contains(output, path) || strings.Contains(output, canarySecret) {
		t.Errorf("serve ended after %s with exit code %d, %v and said %q; want a refusal that names %s",
			time.Since(started), exitCode, err, output, path)
	}
}
