// Command fakeprovider serves the fake provider on an address, for tests in other
// languages: go run ./e2e/fakeprovider 127.0.0.1:0 prints where it listens.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"sokuji/internal/fakeprovider"
)

// headerTimeout bounds how long a client may take for its headers.
const headerTimeout = 10 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("name the address to listen on, such as 127.0.0.1:0")
	}
	listener, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	server := &http.Server{Handler: fakeprovider.Handler(), ReadHeaderTimeout: headerTimeout}
	return server.Serve(listener)
}
