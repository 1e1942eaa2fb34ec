package testserver

// TB is what Build and Start need of a *testing.T or *testing.B.
type TB interface {
	Helper()
	Fatal(arguments ...any)
	Cleanup(func())
	Failed() bool
	Logf(format string, arguments ...any)
	TempDir() string
}

// Build returns the path of the binary, built once for the process.
func Build(t TB) string {
	t.Helper()
	path, err := Binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Start starts a server that ends with the test. Without Options.Dir it gets a
// folder of the test's. A failed test shows what the server wrote.
func Start(t TB, options Options) *Server {
	t.Helper()
	if options.Dir == "" {
		options.Dir = t.TempDir()
	}
	server, err := Open(options)
	if err != nil {
		t.Fatal(err)
	}
	endWith(t, server)
	return server
}

// StartAgain starts a server on the data folder of one that has ended.
func StartAgain(t TB, ended *Server) *Server {
	t.Helper()
	server, err := ended.Restart()
	if err != nil {
		t.Fatal(err)
	}
	endWith(t, server)
	return server
}

func endWith(t TB, server *Server) {
	t.Cleanup(func() {
		server.Kill()
		if t.Failed() {
			t.Logf("output of the server in %s:\n%s", server.Dir, server.Output())
		}
	})
}
