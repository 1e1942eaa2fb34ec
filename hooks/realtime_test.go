package hooks

import (
	"bufio"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// eventWait bounds the wait for an event that must come.
const eventWait = 5 * time.Second

// stream is a realtime connection. Its events come as "topic data".
type stream struct {
	client string
	events chan string
}

// listen opens a realtime connection and subscribes as PocketBase's SDK does.
func (h *house) listen(as credential, topics ...string) stream {
	h.t.Helper()
	response, err := h.srv.Client().Do(h.request("GET", "/api/realtime", nobody, ""))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { response.Body.Close() })
	s := stream{events: make(chan string, 100)}
	go func() {
		defer close(s.events)
		topic := ""
		lines := bufio.NewScanner(response.Body)
		for lines.Scan() {
			if name, ok := strings.CutPrefix(lines.Text(), "event:"); ok {
				topic = name
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data:"); ok {
				s.events <- topic + " " + data
			}
		}
	}()
	_, data, _ := strings.Cut(h.next(s), " ")
	var hello struct{ ClientID string }
	if err := json.Unmarshal([]byte(data), &hello); err != nil || hello.ClientID == "" {
		h.t.Fatalf("the connection begins with %q", data)
	}
	s.client = hello.ClientID
	h.do("POST", "/api/realtime", as, object("clientId", s.client, "subscriptions", topics)).want(204)
	return s
}

func (h *house) next(s stream) string {
	h.t.Helper()
	select {
	case event, open := <-s.events:
		if !open {
			h.t.Fatal("the realtime connection ended")
		}
		return event
	case <-time.After(eventWait):
		h.t.Fatalf("no event came within %s", eventWait)
	}
	return ""
}

func TestAMintReachesItsOwnerOnly(t *testing.T) {
	h := newHouse(t)
	owned := "wallets/" + h.alice.Id
	alice := h.listen(h.asAlice(), "wallets/*")
	session := h.listen(bearer(h.aliceSession().raw), owned)
	strangers := map[string]stream{
		"bob, by id": h.listen(h.asBob(), owned), "bob, by *": h.listen(h.asBob(), "wallets/*"),
		"a guest, by id": h.listen(nobody, owned), "a guest, by *": h.listen(nobody, "wallets/*"),
	}
	root := h.listen(h.asRoot(), "wallets/*")
	h.mint(h.alice, 1234)
	for name, s := range map[string]stream{"wallets/*": alice, owned: session} {
		topic, data, _ := strings.Cut(h.next(s), " ")
		var event struct {
			Action string
			Record struct {
				ID      string
				Balance int64 `json:"balance_tokens"`
			}
		}
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			t.Fatal(err)
		}
		if topic != name || event.Action != "update" || event.Record.ID != h.alice.Id || event.Record.Balance != 1234 {
			t.Errorf("the owner hears %s %s, want the new balance on %s", topic, data, name)
		}
	}
	if event := h.next(root); !strings.Contains(event, h.alice.Id) {
		t.Errorf("the superuser hears %s", event)
	}
	// What comes to everybody shows that nothing else had come before it.
	h.heardNothing(strangers)
}

// heardNothing subscribes strangers to a public collection and
// changes a row of it: the first event that they hear must be that one.
func (h *house) heardNothing(strangers map[string]stream) {
	h.t.Helper()
	for name, s := range strangers {
		as := nobody
		if strings.HasPrefix(name, "bob") {
			as = h.asBob()
		}
		h.do("POST", "/api/realtime", as, object("clientId", s.client, "subscriptions", []string{"plans/*"})).want(204)
	}
	h.do("PATCH", "/api/collections/plans/records/free_plan", h.asRoot(), object("price_cents", 1)).want(200)
	for name, s := range strangers {
		if event := h.next(s); !strings.HasPrefix(event, "plans/* ") {
			h.t.Errorf("%s hears %s", name, event)
		}
	}
}

// A connection hears nothing more of its user once the session that opened it ended.
func TestAnEndedSessionHearsNothingMore(t *testing.T) {
	h := newHouse(t)
	s := h.aliceSession()
	owned := "wallets/" + h.alice.Id
	ended := h.listen(bearer(s.raw), owned, "plans/*")
	alive := h.listen(h.asAlice(), owned)
	h.do("POST", "/api/auth/sign-out", bearer(s.raw), "").want(200)
	h.mint(h.alice, 1234)
	h.next(alive)
	h.do("PATCH", "/api/collections/plans/records/free_plan", h.asRoot(), object("price_cents", 1)).want(200)
	if event := h.next(ended); !strings.HasPrefix(event, "plans/* ") {
		t.Errorf("the ended session hears %s", event)
	}
}

// Many changes arrive as few updates, the last of which is the truth.
func TestManyChangesEndWithTheLastBalance(t *testing.T) {
	h := newHouse(t)
	alice := h.listen(h.asAlice(), "wallets/*")
	h.mint(h.alice, 1000)
	for range 20 {
		h.use(h.alice, 1)
	}
	heard := 0
	for {
		heard++
		if event := h.next(alice); strings.Contains(event, `"balance_tokens":980`) {
			break
		}
	}
	if heard > 21 {
		t.Errorf("21 changes made %d updates", heard)
	}
}

// Realtime hides what the record API hides, from superusers too.
func TestRealtimeHidesHashes(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	root := h.listen(h.asRoot(), "api_keys/*")
	h.defaultKey()
	event := h.next(root)
	if !strings.Contains(event, `"name":"default"`) || strings.Contains(event, "key_hash") {
		t.Errorf("the superuser hears %s", event)
	}
}
