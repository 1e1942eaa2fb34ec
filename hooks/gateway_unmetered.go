package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/metering"
)

// unmeteredValues are wishes that a provider bills by more than what its usage
// says, or answers without any usage at all: by member, the values in JSON.
var unmeteredValues = map[string][]string{
	"background":   {"true"},                  // the answer is fetched later, by another route
	"service_tier": {`"priority"`, `"scale"`}, // cost more than the price book says
	"speed":        {`"fast"`},                // likewise
}

// unmeteredMembers are wishes that are billed apart whatever they say, or, as
// OpenRouter's models and plugins, by other models than the one that is priced.
var unmeteredMembers = []string{"web_search_options", "models", "plugins"}

// usualRegion is the one value of inference_geo that has no surcharge.
const usualRegion = `"global"`

// freeEdits begin the types of the edits of a context that call no model for it.
var freeEdits = []string{"clear_tool_uses_", "clear_thinking_"}

// unmeteredBetas begin the names in anthropic-beta that change what a token costs,
// or bring counts that the usage leaves out of its sums.
var unmeteredBetas = []string{"context-1m-", "compact-", "advisor-tool-", "fast-mode-"}

const anthropicBetaHeader = "anthropic-beta"

// refuseUnmetered refuses what would cost the operator more than it is billed.
func refuseUnmetered(endpoint metering.Endpoint, body *gateway.Body, client http.Header) error {
	for _, member := range slices.Sorted(maps.Keys(unmeteredValues)) {
		if value := plainJSON(body.Get(member)); slices.Contains(unmeteredValues[member], value) {
			return ledger.Invalid(member, fmt.Sprintf("%s %s has no meter here: leave it out.", member, value))
		}
	}
	for _, member := range unmeteredMembers {
		if isGiven(body.Get(member)) {
			return ledger.Invalid(member, member+" has no meter here: leave it out.")
		}
	}
	if region := body.Get("inference_geo"); isGiven(region) && plainJSON(region) != usualRegion {
		return ledger.Invalid("inference_geo", `inference_geo has a surcharge that has no meter here: leave it out, or say "global".`)
	}
	if err := refuseUnmeteredBetas(client); err != nil {
		return err
	}
	if err := refuseUnmeteredEdits(body.Get("context_management")); err != nil {
		return err
	}
	if err := checkTools(body.Get("tools"), true); err != nil {
		return ledger.Invalid("tools", sentence(err))
	}
	if endpoint != metering.Responses {
		return nil
	}
	return refuseUnmeteredItems(body.Get("input"))
}

func refuseUnmeteredBetas(client http.Header) error {
	for name := range strings.SplitSeq(strings.Join(client.Values(anthropicBetaHeader), ","), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); hasAnyPrefix(name, unmeteredBetas) {
			return ledger.Invalid(anthropicBetaHeader, fmt.Sprintf("%s %.40q changes what a token costs and has no meter here: leave it out.", anthropicBetaHeader, name))
		}
	}
	return nil
}

// refuseUnmeteredEdits takes Anthropic's form alone: what OpenAI has of this name
// compacts, too.
func refuseUnmeteredEdits(management []byte) error {
	if !isGiven(management) {
		return nil
	}
	const member = "context_management"
	body, err := gateway.ParseBody(management)
	var edits []json.RawMessage
	if err != nil || isGiven(body.Get("edits")) && json.Unmarshal(body.Get("edits"), &edits) != nil {
		return ledger.Invalid(member, member+" must be an object with a list of edits, such as clear_tool_uses_20250919.")
	}
	for _, edit := range edits {
		_, kind, err := typedObject(edit)
		if err != nil {
			return ledger.Invalid(member, "In "+member+", "+err.Error()+".")
		}
		if !hasAnyPrefix(kind, freeEdits) {
			return ledger.Invalid(member, fmt.Sprintf("The edit %.40q has no meter here: use clear_tool_uses or clear_thinking, or leave %s out.", kind, member))
		}
	}
	return nil
}

// typedObject reads an object and its type, which is empty where it has none. Two types
// are an error, because readers differ in which one counts.
func typedObject(text []byte) (object *gateway.Body, kind string, err error) {
	if object, err = gateway.ParseBody(text); err != nil {
		return nil, "", err
	}
	if value := object.Get("type"); isGiven(value) && json.Unmarshal(value, &kind) != nil {
		return nil, "", errors.New("type must be a text")
	}
	return object, kind, nil
}

func isGiven(value []byte) bool { return value != nil && string(value) != "null" }

// plainJSON writes a value in the one form that it is compared in: a letter can be
// written in several ways.
func plainJSON(value []byte) string {
	var decoded any
	if json.Unmarshal(value, &decoded) != nil {
		return ""
	}
	plain, err := json.Marshal(decoded)
	if err != nil {
		return ""
	}
	return string(plain)
}
