package export_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"sokuji/internal/export"
)

func TestAUsersPartIsTheirsAlone(t *testing.T) {
	f := open(t)
	f.user("ada000000000001")
	f.user("bob000000000001")
	f.execute(`INSERT INTO wallets (id, subject_type, subject_id) VALUES ('x', 'organization', 'ada000000000001')`)
	var out bytes.Buffer
	if err := export.WriteUser(t.Context(), f.db(), "ada000000000001", now, &out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "bob000000000001") || strings.Contains(out.String(), "organization\",") {
		t.Error("somebody else's row is in it")
	}
	var document map[string]json.RawMessage
	if err := json.Unmarshal(out.Bytes(), &document); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	want := []string{"accounts", "apiKeySpending", "apiKeys", "appUser", "auditLog", "entitlement", "exportedAt", "grants", "holds", "ledger", "memberships",
		"sessions", "usage", "usageDaily", "user", "wallet", "webhooks"}
	if got := slices.Sorted(maps.Keys(document)); !slices.Equal(got, want) {
		t.Errorf("members are %v", got)
	}
	for member, raw := range document {
		switch member {
		case "exportedAt":
			if string(raw) != `"2026-11-24T12:00:00.000Z"` {
				t.Errorf("exported at %s", raw)
			}
		case "user", "appUser", "wallet", "entitlement":
			if raw[0] != '{' {
				t.Errorf("%s is no object: %s", member, raw)
			}
		default:
			var rows []map[string]any
			expected := 1
			if member == "accounts" {
				expected = 2
			}
			if err := json.Unmarshal(raw, &rows); err != nil || len(rows) != expected {
				t.Errorf("%s has %d rows: %s (%v)", member, len(rows), raw, err)
			}
		}
	}
	var user struct{ Name, Email, Avatar string }
	if err := json.Unmarshal(document["user"], &user); err != nil || user.Name != strange || user.Email != "ada000000000001@example.com" || user.Avatar != "face.png" {
		t.Errorf("user is %+v (%v)", user, err)
	}
	if hook := string(document["webhooks"]); !strings.Contains(hook, `"raw_payload"`) || strings.Contains(hook, "headers") || strings.Contains(hook, "signature") {
		t.Errorf("webhooks are %s", hook)
	}
}

// Operators may change the fields of users.
func TestUsersWithoutAvatars(t *testing.T) {
	f := open(t)
	f.user("ada000000000001")
	f.execute(`ALTER TABLE users DROP COLUMN avatar`)
	var out bytes.Buffer
	if err := export.WriteUser(t.Context(), f.db(), "ada000000000001", now, &out); err != nil || !strings.Contains(out.String(), `"avatar":null`) {
		t.Errorf("got %s (%v)", out.String(), err)
	}
}

func TestAUserWithNothingHasAPart(t *testing.T) {
	f := open(t)
	var out bytes.Buffer
	if err := export.WriteUser(t.Context(), f.db(), "nobody", now, &out); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(out.Bytes()) || !strings.Contains(out.String(), `"wallet":null`) || !strings.Contains(out.String(), `"ledger":[]`) {
		t.Errorf("got %s", out.String())
	}
}

// Many rows go through without being gathered, and a writer that fails ends it.
func TestAUsersPartIsStreamed(t *testing.T) {
	f := open(t)
	f.user("ada000000000001")
	f.manyUses(5_000)
	var out largest
	if err := export.WriteUser(t.Context(), f.db(), "ada000000000001", now, &out); err != nil {
		t.Fatal(err)
	}
	if out.sum < 5000*200 || out.most > 512<<10 {
		t.Errorf("%d bytes came, %d at once", out.sum, out.most)
	}
	if err := export.WriteUser(t.Context(), f.db(), "ada000000000001", now, full{}); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}

type largest struct{ sum, most int }

func (l *largest) Write(part []byte) (int, error) {
	l.sum += len(part)
	l.most = max(l.most, len(part))
	return len(part), nil
}

var errFull = errors.New("the client left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
