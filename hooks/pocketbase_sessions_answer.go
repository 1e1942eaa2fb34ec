package hooks

import (
	"bytes"
	"net/http"
)

// heldAnswer keeps a small answer back until it is known whether it may leave.
type heldAnswer struct {
	header http.Header
	status int // 0: nothing was written
	body   bytes.Buffer
}

func (a *heldAnswer) Header() http.Header { return a.header }

func (a *heldAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *heldAnswer) Write(part []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(part)
}

// Written and Status tell PocketBase's handlers what they would otherwise see.
func (a *heldAnswer) Written() bool { return a.status != 0 }
func (a *heldAnswer) Status() int   { return a.status }

// release sends what was kept.
func (a *heldAnswer) release(to http.ResponseWriter) error {
	if a.status == 0 {
		return nil
	}
	to.WriteHeader(a.status)
	_, err := to.Write(a.body.Bytes())
	return err
}
