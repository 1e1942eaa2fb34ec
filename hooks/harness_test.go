package hooks

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/fstest"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"sokuji/internal/config"
	_ "sokuji/migrations"
)

const (
	testSecret     = "canary-secret-of-at-least-32-characters"
	testPassword   = "canary user password"
	rootPassword   = "canary superuser password"
	trustedOrigin  = config.DefaultFrontendURL
	foreignOrigin  = "https://evil.example"
	aliceEmail     = "alice@example.com"
	bobEmail       = "bob@example.com"
	rootEmail      = "root@example.com"
	bcryptTestCost = 4 // the cheapest there is: the tests sign in often
)

// template is a migrated data folder with alice, bob and a superuser in it. Each
// test runs on a copy.
var template string

func TestMain(m *testing.M) {
	code, err := runWithTemplate(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runWithTemplate(m *testing.M) (code int, err error) {
	empty, err := os.MkdirTemp("", "sokuji_empty_*")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(empty)
	app, err := tests.NewTestAppWithConfig(core.BaseAppConfig{DataDir: empty, DBConnect: ConnectDatabase})
	if err != nil {
		return 1, err
	}
	template = app.DataDir()
	defer os.RemoveAll(template)
	if err := fillTemplate(app); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func fillTemplate(app *tests.TestApp) error {
	bindUserProvisioning(app)
	for _, person := range []struct{ collection, email, name, password string }{
		{usersCollection, aliceEmail, "Alice", testPassword},
		{usersCollection, bobEmail, "Bob", testPassword},
		{core.CollectionNameSuperusers, rootEmail, "", rootPassword},
	} {
		collection, err := app.FindCollectionByNameOrId(person.collection)
		if err != nil {
			return err
		}
		field, _ := collection.Fields.GetByName(core.FieldNamePassword).(*core.PasswordField)
		field.Cost = bcryptTestCost
		if err := app.Save(collection); err != nil {
			return err
		}
		record := core.NewRecord(collection)
		record.SetEmail(person.email)
		record.SetPassword(person.password)
		record.Set("name", person.name)
		if err := app.Save(record); err != nil {
			return err
		}
	}
	for _, database := range []dbx.Builder{app.NonconcurrentDB(), app.AuxNonconcurrentDB()} {
		if _, err := database.NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute(); err != nil {
			return err
		}
	}
	return app.ResetBootstrapState()
}

// house is one running server with its own data.
type house struct {
	t      *testing.T
	app    *tests.TestApp
	srv    *httptest.Server
	server *server // what is behind it

	alice, bob, root *core.Record
}

// newHouse starts a server; settings are environment variables, in pairs.
func newHouse(t *testing.T, settings ...string) *house {
	t.Helper()
	app, err := tests.NewTestAppWithConfig(core.BaseAppConfig{DataDir: template, DBConnect: ConnectDatabase})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	h := &house{t: t, app: app, srv: httptest.NewUnstartedServer(nil)}
	environment := map[string]string{"AUTH_RATE_LIMIT": "0", "SOKUJI_SECRET": testSecret}
	for i := 0; i < len(settings); i += 2 {
		environment[settings[i]] = settings[i+1]
	}
	h.serve(environment)
	h.alice = h.record(usersCollection, aliceEmail)
	h.bob = h.record(usersCollection, bobEmail)
	h.root = h.record(core.CollectionNameSuperusers, rootEmail)
	return h
}

// serve goes through what "sokuji serve" does, except for the command line.
func (h *house) serve(environment map[string]string) {
	h.t.Helper()
	settings, err := config.Load(func(name string) string { return environment[name] })
	if err != nil {
		h.t.Fatal(err)
	}
	page := fstest.MapFS{"pb_public/index.html": {Data: []byte("<!doctype html><title>portal</title>")}}
	if h.server, err = newServer(h.app, settings); err != nil {
		h.t.Fatal(err)
	}
	if err := h.server.bind(page); err != nil {
		h.t.Fatal(err)
	}
	router, err := apis.NewRouter(h.app)
	if err != nil {
		h.t.Fatal(err)
	}
	event := &core.ServeEvent{App: h.app, Router: router, Server: h.srv.Config}
	err = h.app.OnServe().Trigger(event, func(e *core.ServeEvent) error {
		h.srv.Config.Handler, err = e.Router.BuildMux()
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.app.Cron().Stop() // a test runs the jobs that it is about, and no other by the clock
	h.srv.Start()
	h.t.Cleanup(h.srv.Close)
	h.srv.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
}

func (h *house) record(collection, email string) *core.Record {
	h.t.Helper()
	record, err := h.app.FindAuthRecordByEmail(collection, email)
	if err != nil {
		h.t.Fatal(err)
	}
	return record
}

// do sends one request. The body is JSON text, empty for none; headers come in
// pairs and replace what the credential set.
func (h *house) do(method, path string, as credential, body string, headers ...string) answer {
	h.t.Helper()
	return h.send(h.request(method, path, as, body, headers...))
}

func (h *house) request(method, path string, as credential, body string, headers ...string) *http.Request {
	h.t.Helper()
	request, err := http.NewRequestWithContext(h.t.Context(), method, h.srv.URL+path, reader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	as(request)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return request
}

func (h *house) send(request *http.Request) answer {
	h.t.Helper()
	response, err := h.srv.Client().Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{t: h.t, request: request.Method + " " + request.URL.Path, status: response.StatusCode, header: response.Header, body: body}
}
