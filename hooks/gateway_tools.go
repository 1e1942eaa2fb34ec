package hooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
)

// freeTools are the types of tools that the client runs, or that cost nothing but
// the tokens which the usage counts. A tool without a type is one of Anthropic's
// that the client runs.
var freeTools = []string{"", "function", "custom", "tool_search", "mcp", "mcp_toolset", "local_shell", "apply_patch"}

// freeToolFamilies begin the types of more of them, which carry their date.
var freeToolFamilies = []string{"computer", "bash_", "text_editor_", "memory_", "web_fetch_", "tool_search_tool_"}

const (
	// shellTool runs at the provider unless its environment is localShell.
	shellTool  = "shell"
	localShell = "local"
	// namespaceTool groups other tools, but no other namespaces.
	namespaceTool = "namespace"
)

var errToolsNoList = errors.New("tools must be a list of objects")

// refuseUnmeteredItems looks at the tools that the items of an input bring. They
// are read one by one, because a list of millions is short as a text.
func refuseUnmeteredItems(input []byte) error {
	items := json.NewDecoder(bytes.NewReader(input))
	if start, err := items.Token(); err != nil || start != json.Delim('[') {
		return nil // a text has no items
	}
	for items.More() {
		var item struct {
			Tools json.RawMessage `json:"tools"`
		}
		err := items.Decode(&item)
		if _, isOtherType := errors.AsType[*json.UnmarshalTypeError](err); isOtherType {
			continue // the provider says what is wrong with it
		}
		if err != nil {
			return nil // the body is valid, so this does not come
		}
		if err := checkTools(item.Tools, true); err != nil {
			return ledger.Invalid("input", "In input, "+err.Error()+".")
		}
	}
	return nil
}

// checkTools refuses tools that a provider runs itself and bills by the call, by the
// hour, or as another model: all that are not known to be free.
func checkTools(list []byte, mayGroup bool) error {
	var tools []json.RawMessage
	if isGiven(list) && json.Unmarshal(list, &tools) != nil {
		return errToolsNoList
	}
	for _, tool := range tools {
		if err := checkTool(tool, mayGroup); err != nil {
			return err
		}
	}
	return nil
}

func checkTool(text []byte, mayGroup bool) error {
	tool, kind, err := typedObject(text)
	switch {
	case errors.Is(err, gateway.ErrNotAnObject):
		return errToolsNoList
	case err != nil:
		return fmt.Errorf("in a tool, %w", err)
	case kind == namespaceTool && mayGroup:
		return checkTools(tool.Get("tools"), false)
	case kind == namespaceTool:
		return errors.New("a namespace must not be within a namespace")
	case kind == shellTool && runsLocally(tool):
		return nil
	case kind == shellTool:
		return errors.New("the tool shell has no meter here unless its environment is local: use tools that you run yourself")
	case !slices.Contains(freeTools, kind) && !hasAnyPrefix(kind, freeToolFamilies):
		return fmt.Errorf("the tool %.40q has no meter here: use tools that you run yourself", kind)
	}
	return nil
}

func runsLocally(shell *gateway.Body) bool {
	_, where, err := typedObject(shell.Get("environment"))
	return err == nil && where == localShell
}
