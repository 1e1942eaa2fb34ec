package hooks

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// decorateHealth adds the original's keys to PocketBase's own health route, which
// cannot be registered again. PocketBase's keys stay where its clients look.
func decorateHealth(environment string) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		if e.Request.Pattern != "GET /api/health" {
			return e.Next()
		}
		response, recorder := e.Response, httptest.NewRecorder()
		e.Response = recorder
		err := e.Next()
		e.Response = response
		if err != nil {
			return err
		}
		var body map[string]any
		if err := json.Unmarshal(recorder.Body.Bytes(), &body); err != nil {
			return err
		}
		body["status"] = "healthy"
		body["timestamp"] = isoTime(time.Now())
		body["environment"] = environment
		return e.JSON(recorder.Code, body)
	}
}

// healthDatabase reads a row.
func (s *server) healthDatabase(e *core.RequestEvent) error {
	return s.probe(e, "database", `SELECT COUNT(*) FROM (SELECT id FROM plans LIMIT 1)`)
}

// healthSessions reads the session store, which is what the original kept in its
// key-value store.
func (s *server) healthSessions(e *core.RequestEvent) error {
	return s.probe(e, "kv", `SELECT COUNT(*) FROM (SELECT id FROM sessions LIMIT 1)`)
}

func (s *server) probe(e *core.RequestEvent, part, query string) error {
	status, body := http.StatusOK, map[string]any{
		"status": "healthy", part: "connected", "timestamp": isoTime(time.Now()), "environment": s.config.Environment,
	}
	var rows int
	if err := s.reader.QueryRowContext(e.Request.Context(), query).Scan(&rows); err != nil {
		e.App.Logger().Error("A health check failed", "part", part, "error", err)
		status, body["status"], body[part] = http.StatusServiceUnavailable, "unhealthy", "disconnected"
	}
	return e.JSON(status, body)
}

// healthReady tells a load balancer whether to send requests here.
func (s *server) healthReady(e *core.RequestEvent) error {
	if s.draining.Load() {
		return e.JSON(http.StatusServiceUnavailable, map[string]any{"status": "draining"})
	}
	if !s.books.balance() { // which row it is stands in the log and the audit log
		return e.JSON(http.StatusServiceUnavailable, map[string]any{"status": "unbalanced"})
	}
	return s.probe(e, "database", `SELECT COUNT(*) FROM (SELECT id FROM wallets LIMIT 1)`)
}
