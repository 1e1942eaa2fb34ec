package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
)

// Paths of the bare server.
const (
	bareBalancePath = "/balance"
	bareUsePath     = "/use"
)

// bareBalance has the fields of the real answer.
type bareBalance struct {
	Balance               int64  `json:"balance"`
	Held                  int64  `json:"held"`
	Available             int64  `json:"available"`
	Frozen                bool   `json:"frozen"`
	PlanID                string `json:"planId"`
	MaxConcurrentSessions int64  `json:"maxConcurrentSessions"`
	RateLimitRPM          int64  `json:"rateLimitRpm"`
	UpdatedAt             string `json:"updatedAt"`
}

type bareUse struct {
	UserID string `json:"userId"`
	Amount int64  `json:"amount"`
}

type bareReceipt struct {
	Success   bool  `json:"success"`
	Deducted  int64 `json:"deducted"`
	Remaining int64 `json:"remaining"`
}

// serveBare is the limit that HTTP and JSON set: no lookup, no rights, no money.
func serveBare() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	routes := http.NewServeMux()
	routes.HandleFunc("GET "+bareBalancePath, getBare)
	routes.HandleFunc("POST "+bareUsePath, postBare)
	announce(listener.Addr().String())
	server := &http.Server{Handler: routes, ReadHeaderTimeout: exchangeTimeout}
	return server.Serve(listener)
}

func getBare(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, bareBalance{
		Balance: 1, Available: 1, PlanID: "free_plan", MaxConcurrentSessions: 1, RateLimitRPM: 60,
		UpdatedAt: "2026-11-24T08:00:00.000Z",
	})
}

func postBare(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var use bareUse
	if err := json.Unmarshal(body, &use); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answerJSON(w, bareReceipt{Success: true, Deducted: use.Amount, Remaining: 1})
}

func answerJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // a client that left is the load's failure
}
