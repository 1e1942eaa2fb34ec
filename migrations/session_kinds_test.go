package migrations_test

import (
	"testing"

	"github.com/pocketbase/dbx"
)

// A row that says nothing of the newer columns, such as an imported one, is a
// session of the Better Auth road; what a row says stays.
func TestSessionsFillTheirColumns(t *testing.T) {
	app := newApp(t, t.TempDir())
	const updated, used = "2026-01-02 03:04:05.678Z", "2026-02-03 04:05:06.789Z"
	for _, c := range []struct{ id, columns, values, want string }{
		{"old", "", "", "better_auth " + updated},
		{"kind", ", kind", ", 'pocketbase'", "pocketbase " + updated},
		{"used", ", last_used_at", ", '" + used + "'", "better_auth " + used},
		{"whole", ", kind, last_used_at", ", 'impersonation', '" + used + "'", "impersonation " + used},
	} {
		err := sqlError(app, `INSERT INTO sessions (id, user, token_hash, token_key_hash, updated_at`+c.columns+`)
			VALUES ('`+c.id+`', 'ada', '`+c.id+`', 'k', '`+updated+`'`+c.values+`)`)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		err = app.DB().NewQuery(`SELECT kind || ' ' || last_used_at FROM sessions WHERE id = {:id}`).Bind(dbx.Params{"id": c.id}).Row(&got)
		if err != nil || got != c.want {
			t.Errorf("%s: got %s, want %s (%v)", c.id, got, c.want, err)
		}
	}
}
