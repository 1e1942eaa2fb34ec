package hooks

import (
	"encoding/csv"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

const (
	// csvStepRows is how many rows of a CSV are read and sent at a time.
	csvStepRows = ledger.MaxPageRows
	// csvStepTimeout is how long a client may take to receive them.
	csvStepTimeout = time.Minute
)

// wantsCSV tells whether the client asks for a CSV before anything else.
func wantsCSV(e *core.RequestEvent) bool {
	first, _, _ := strings.Cut(e.Request.Header.Get("Accept"), ",")
	kind, _, err := mime.ParseMediaType(first)
	return err == nil && kind == "text/csv"
}

// streamCSV sends rows as step yields them. The first step comes before the
// headers, so that its error is still an answer; a later one breaks the
// connection, because a CSV that ends early must not look whole.
func streamCSV(e *core.RequestEvent, name string, columns []string, step func() (rows [][]string, more bool, err error)) error {
	rows, more, err := step()
	if err != nil {
		return err
	}
	header := e.Response.Header()
	header.Set("Content-Type", "text/csv; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	header.Set("Cache-Control", "no-store")

	controller := http.NewResponseController(e.Response)
	writer := csv.NewWriter(e.Response)
	if err := writer.Write(columns); err != nil {
		return err
	}
	for {
		if err := controller.SetWriteDeadline(time.Now().Add(csvStepTimeout)); err != nil {
			return err
		}
		if err := writer.WriteAll(rows); err != nil {
			return err // the client left
		}
		if !more {
			return nil
		}
		if rows, more, err = step(); err != nil {
			e.App.Logger().Error("A CSV broke off", slog.String("name", name), slog.Any("error", err))
			panic(http.ErrAbortHandler)
		}
	}
}

// csvText keeps a spreadsheet from taking somebody's words for a formula.
func csvText(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
