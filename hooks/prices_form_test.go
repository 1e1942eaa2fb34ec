package hooks

import (
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/tools/types"
)

// A new price of a model that has one holds at once, whatever its id.
func TestANewPriceHoldsAtOnce(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100_000_000)
	add := func(pairs ...any) answer {
		t.Helper()
		return h.do("POST", "/api/collections/prices/records", h.asRoot(), object(append([]any{"provider", "openai", "model", "gpt-4o"}, pairs...)...))
	}
	cost := func() int64 {
		t.Helper()
		return h.charge("provider", "openai", "model", "gpt-4o", "inputTokens", 1_000_000)
	}
	if got := cost(); got != 300_000 {
		t.Fatalf("the seeded price is %d", got)
	}
	begin := time.Now().Truncate(time.Millisecond)
	for rate := int64(1); rate <= 20; rate++ { // a random id is the greater one half of the time
		row := add("in_text", rate*1_000_000).want(200)
		from, err := time.Parse(types.DefaultDateLayout, row.text("effective_from"))
		if err != nil || from.Before(begin) || from.After(time.Now().Add(time.Second)) {
			t.Fatalf("it is in force from %s (%v)", row.text("effective_from"), err)
		}
		time.Sleep(2 * time.Millisecond)
		if got := cost(); got != rate*120_000 {
			t.Fatalf("price %d costs %d, want %d", rate, got, rate*120_000)
		}
	}
	if row := add("match", "prefix", "in_text", 1).want(200); row.text("effective_from") != "" {
		t.Errorf("the first price of a family is in force from %s", row.text("effective_from"))
	}
	if row := add("model", "gpt-new", "in_text", 1).want(200); row.text("effective_from") != "" {
		t.Errorf("the first price of a model is in force from %s", row.text("effective_from"))
	}
}

func TestTwoPricesOfOneMoment(t *testing.T) {
	h := newHouse(t)
	add := func(pairs ...any) answer {
		t.Helper()
		return h.do("POST", "/api/collections/prices/records", h.asRoot(), object(append([]any{
			"provider", "openai", "model", "mine", "in_text", 1, "effective_from", "2030-01-01 00:00:00.000Z",
		}, pairs...)...))
	}
	add().want(200)
	refused := add("in_text", 2, "provider", "OpenAI").want(400)
	if message := refused.text("data.effective_from.message"); !strings.HasPrefix(message, "Effective_from ") || !strings.Contains(message, "leave it empty") {
		t.Errorf("the refusal is %s", refused.body)
	}
	add("match", "exact").want(400)
	add("match", "prefix").want(200)
	add("model", "other").want(200)
	add("effective_from", "2030-01-01 00:00:00.001Z").want(200)
}
