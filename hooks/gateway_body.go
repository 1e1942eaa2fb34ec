package hooks

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"sokuji/internal/ledger"
)

// gatewayBody is the body of a call, unpacked and bounded. It goes around
// PocketBase's own reader, which keeps a copy of everything that it reads.
func gatewayBody(e *core.RequestEvent, maxBytes int64) (io.Reader, error) {
	raw := e.Request.Body
	if copying, ok := raw.(*router.RereadableReadCloser); ok {
		raw = copying.ReadCloser
	}
	bounded := http.MaxBytesReader(e.Response, raw, maxBytes)
	switch encoding := e.Request.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		return bounded, nil
	case "gzip":
		unpacked, err := gzip.NewReader(bounded)
		if err != nil {
			return nil, ledger.Invalid("body", "The body is not gzip although Content-Encoding says so.")
		}
		// A few kilobytes can unpack to gigabytes.
		return http.MaxBytesReader(e.Response, unpacked, maxBytes), nil
	default:
		return nil, &refusal{
			status: http.StatusUnsupportedMediaType, code: string(ledger.CodeInvalidRequest), title: "Unsupported encoding", field: "Content-Encoding",
			message: fmt.Sprintf("Content-Encoding %.40q is not read here: send gzip, or the body as it is.", encoding),
		}
	}
}

// sentLength is how long a body will be, or -1 for one that is packed or does not
// say.
func sentLength(r *http.Request) int64 {
	if r.Header.Get("Content-Encoding") == "gzip" {
		return -1
	}
	return r.ContentLength
}

// bodyRefusal says why a body could not be read.
func bodyRefusal(err error, maxBytes int64) error {
	if err == nil {
		return nil
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return bodyTooLarge(maxBytes)
	}
	if ledger.CodeOf(err) == ledger.CodeOverloaded {
		return err
	}
	return ledger.Invalid("body", "The body could not be read: "+err.Error()+".")
}
