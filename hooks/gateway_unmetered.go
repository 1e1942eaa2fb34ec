package hooks

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
)

// unmeteredValues are wishes that a provider bills by more than what its usage
// says, or answers without any usage at all: by member, the values in JSON.
var unmeteredValues = map[string][]string{
	"background":   {"true"},                  // the answer is fetched later, by another route
	"service_tier": {`"priority"`, `"scale"`}, // cost more than the price book says
	"speed":        {`"fast"`},                // likewise
}

// unmeteredMembers are wishes that are billed apart whatever they say.
var unmeteredMembers = []string{"web_search_options"}

// unmeteredTools begin the types of tools that a provider runs itself and bills by
// the call or by the hour.
var unmeteredTools = []string{"web_search", "file_search", "code_interpreter", "code_execution", "image_generation"}

// refuseUnmetered refuses what would cost the operator more than it is billed.
func refuseUnmetered(body *gateway.Body) error {
	for _, member := range slices.Sorted(maps.Keys(unmeteredValues)) {
		if value := plainJSON(body.Get(member)); slices.Contains(unmeteredValues[member], value) {
			return ledger.Invalid(member, fmt.Sprintf("%s %s has no meter here: leave it out.", member, value))
		}
	}
	for _, member := range unmeteredMembers {
		if value := body.Get(member); value != nil && string(value) != "null" {
			return ledger.Invalid(member, member+" has no meter here: leave it out.")
		}
	}
	return refuseUnmeteredTools(body.Get("tools"))
}

// refuseUnmeteredTools reads the types as a provider does: "Type" is no type.
func refuseUnmeteredTools(list []byte) error {
	var tools []map[string]any
	if list != nil && json.Unmarshal(list, &tools) != nil {
		return ledger.Invalid("tools", "tools must be a list of objects.")
	}
	for _, tool := range tools {
		kind, _ := tool["type"].(string)
		for _, unmetered := range unmeteredTools {
			if strings.HasPrefix(kind, unmetered) {
				return ledger.Invalid("tools", fmt.Sprintf("The tool %.40q runs at the provider and has no meter here: use tools that you run yourself.", kind))
			}
		}
	}
	return nil
}

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
