package hooks

import (
	"errors"
	"io/fs"
	"net/http"
	"os"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// publicFiles is what strangers see: files built into the binary, overridden by
// those of a folder on disk.
type publicFiles struct {
	embedded fs.FS
	dir      string
}

// publicPolicy lets a page load from here and nowhere else.
const publicPolicy = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func bindPublicFiles(r *router.Router[*core.RequestEvent], files publicFiles) {
	const path = "/{path...}"
	if r.HasRoute(http.MethodGet, path) {
		return
	}
	r.GET(path, apis.Static(files, false)).BindFunc(func(e *core.RequestEvent) error {
		header := e.Response.Header()
		header.Set("Content-Security-Policy", publicPolicy)
		header.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		header.Set("Cache-Control", "no-cache")
		return e.Next()
	}).Bind(apis.Gzip())
}

// Open looks on disk first.
func (f publicFiles) Open(name string) (fs.File, error) {
	if f.dir != "" {
		file, err := os.DirFS(f.dir).Open(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
	return f.embedded.Open(name)
}
