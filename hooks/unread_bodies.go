package hooks

import "net/http"

// separateRequest hands a copy of the request to PocketBase's router, which puts
// a body of its own into the request it is given. net/http must still find its
// own there: otherwise it cannot tell that a refused request was not read to its
// end, and takes what is left of the body on the wire for the next request.
func separateRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(r.Context()))
	})
}
