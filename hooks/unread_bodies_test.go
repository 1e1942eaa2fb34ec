package hooks

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What is left of a refused body is never read as another request: a proxy that
// shares the connection would hand its answer to somebody else.
func TestARefusedBodyIsNotTheNextRequest(t *testing.T) {
	h := newHouse(t)
	smuggled := "GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n"
	const unread = 512 * 1024 // above what net/http reads to keep a connection
	for _, path := range []string{"/api/wallet/use", "/api/wallet/use/batch", "/api/collections/users/records", "/api/nothing"} {
		t.Run(path, func(t *testing.T) {
			connection, err := net.Dial("tcp", strings.TrimPrefix(h.srv.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			if err := connection.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			body := strings.Repeat(smuggled, unread/len(smuggled))
			go func() { // the server may stop reading at any point
				_, _ = fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
			}()
			reader := bufio.NewReader(connection)
			first, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, first.Body); err != nil {
				t.Fatal(err)
			}
			if first.StatusCode < 400 {
				t.Errorf("the request was answered %d", first.StatusCode)
			}
			if second, err := http.ReadResponse(reader, nil); err == nil {
				t.Errorf("the body was answered as a request: %d", second.StatusCode)
				_ = second.Body.Close()
			}
		})
	}
}
