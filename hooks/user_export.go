package hooks

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/export"
)

const (
	// userExportTimeout bounds how long a client may keep a snapshot open, because
	// the write-ahead log grows behind it.
	userExportTimeout = 2 * time.Minute
	// maxUserExports bounds how many run at a time, so that they never take all
	// connections that read.
	maxUserExports = 2
	// userExportRetrySeconds is when to come back when that many run.
	userExportRetrySeconds = 10
)

// userExport sends what is held on the caller, in one document.
func (s *server) userExport(e *core.RequestEvent) error {
	c, err := requireUser(e)
	if err != nil {
		return err
	}
	select {
	case s.userExports <- struct{}{}:
		defer func() { <-s.userExports }()
	default:
		return rateLimited(userExportRetrySeconds)
	}
	now := time.Now()
	ctx, cancel := context.WithDeadline(e.Request.Context(), now.Add(userExportTimeout))
	defer cancel()
	if err := http.NewResponseController(e.Response).SetWriteDeadline(now.Add(userExportTimeout)); err != nil {
		return err
	}
	header := e.Response.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Disposition", `attachment; filename="export.json"`)
	header.Set("Cache-Control", "no-store")
	if err := export.WriteUser(ctx, s.reader, c.userID, now, e.Response); err != nil {
		if !e.Written() {
			header.Del("Content-Disposition")
			return err
		}
		if e.Request.Context().Err() == nil { // else it was the client who left
			e.App.Logger().Error("A user's export broke off", slog.String("user", c.userID), slog.Any("error", err))
		}
		panic(http.ErrAbortHandler) // a document that ends early must not look whole
	}
	return nil
}
