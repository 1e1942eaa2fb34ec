package hooks

import (
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// clientWriteTimeout is how long one piece may take to a client; one that reads
	// slower than that counts as gone.
	clientWriteTimeout = 30 * time.Second
	// copyPieceBytes is the size of the pieces in which sound is passed on.
	copyPieceBytes = 32 * 1024
)

// errBrokenOff says that an answer ended in the middle, so that the connection
// must end with it: a client would take it for the whole otherwise.
var errBrokenOff = errors.New("an answer was broken off")

// clientWriter passes pieces of an answer on at once. When the client is gone it
// goes on without it, so that the answer is still read to its end and kept for a
// repetition.
type clientWriter struct {
	call       *call
	controller *http.ResponseController
	hasBegun   bool
	isGone     bool
	copy       []byte // for a repetition
	tooLong    bool   // to be kept
}

func (c *call) newClientWriter() *clientWriter {
	return &clientWriter{call: c, controller: http.NewResponseController(c.event.Response), tooLong: c.ticket == nil}
}

func (w *clientWriter) write(piece []byte) {
	w.keep(piece)
	if w.isGone {
		return
	}
	err := w.send(piece)
	w.hasBegun = true
	if err != nil {
		w.leave()
	}
}

// leave shows the client no more: it counts as gone.
func (w *clientWriter) leave() {
	w.isGone = true
	w.call.clientGone()
}

func (w *clientWriter) send(piece []byte) error {
	if err := w.call.allowToWrite(clientWriteTimeout); err != nil {
		return err
	}
	if !w.hasBegun {
		w.call.event.Response.WriteHeader(http.StatusOK)
	}
	if _, err := w.call.event.Response.Write(piece); err != nil {
		return err
	}
	return w.controller.Flush()
}

func (w *clientWriter) keep(piece []byte) {
	if w.tooLong {
		return
	}
	if len(w.copy)+len(piece) > maxKeptAnswerBytes {
		w.copy, w.tooLong = nil, true
		return
	}
	w.copy = append(w.copy, piece...)
}

// kept is the answer for a repetition, nil when it is too long.
func (w *clientWriter) kept(status int, charged int64) *keptAnswer {
	if w.tooLong {
		return nil
	}
	return &keptAnswer{status: status, contentType: w.call.event.Response.Header().Get("Content-Type"), charged: charged, body: w.copy}
}

// copyFrom passes everything on and returns why it did not come to its end.
func (w *clientWriter) copyFrom(body io.Reader) error {
	piece := make([]byte, copyPieceBytes)
	for {
		n, err := body.Read(piece)
		if n > 0 {
			w.write(piece[:n])
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// breakOff ends an answer that is not whole: as an ordinary error while nothing of
// it was sent, and by ending the connection after that.
func (w *clientWriter) breakOff(cause error) error {
	if !w.hasBegun {
		return refusalOf(cause)
	}
	return errBrokenOff
}
