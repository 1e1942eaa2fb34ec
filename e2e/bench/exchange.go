package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// exchangeTimeout bounds one request and its answer.
	exchangeTimeout = 30 * time.Second
	// shownBodyBytes is how much of a refusal is worth showing.
	shownBodyBytes = 300
)

// rawRequest writes a request down once, so that sending it costs a write.
func rawRequest(method, host, path, token, body string) []byte {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, host)
	if token != "" {
		text.WriteString("Authorization: Bearer " + token + "\r\n")
	}
	if body != "" {
		text.WriteString("Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n")
	}
	return []byte(text.String() + "\r\n" + body)
}

// connection is a kept-alive connection of one goroutine. net/http's own client
// would cost as much as the servers that are measured on the same cores.
type connection struct {
	socket net.Conn
	reader *bufio.Reader
}

// dial opens a connection that closes when the context ends.
func dial(ctx context.Context, host string, lifetime time.Duration) (*connection, error) {
	var dialer net.Dialer
	socket, err := dialer.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = socket.Close() })
	return &connection{socket, bufio.NewReader(socket)}, socket.SetDeadline(time.Now().Add(lifetime))
}

func (c *connection) close() { _ = c.socket.Close() } // nothing is left to say on it

// exchange sends a request and reads the whole answer, as JSON into target where
// there is one.
func (c *connection) exchange(request []byte, target any) error {
	if _, err := c.socket.Write(request); err != nil {
		return err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return refused(response)
	}
	if target != nil {
		if err := json.NewDecoder(response.Body).Decode(target); err != nil {
			return err
		}
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// refusedError is an answer that is not a success; the connection goes on.
type refusedError struct{ text string }

func (e *refusedError) Error() string { return e.text }

func refused(response *http.Response) error {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	return &refusedError{fmt.Sprintf("status %d: %s", response.StatusCode, body[:min(len(body), shownBodyBytes)])}
}
