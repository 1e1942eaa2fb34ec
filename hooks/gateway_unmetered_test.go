package hooks

import (
	"encoding/json"
	"fmt"
	"testing"
)

// unmeteredBody is a call with one member more, in JSON.
func unmeteredBody(member, value string) string {
	return fmt.Sprintf(`{"model":%q,"max_tokens":9,"messages":[],"input":"x",%q:%s}`, testModel, member, value)
}

// What costs the operator more than its usage says is refused, and the message says
// which member it is.
func TestWhatHasNoMeterIsRefused(t *testing.T) {
	g := newGatewayHouse(t, completion)
	const responses, messages, chats = "responses", "messages", "chat/completions"
	for _, c := range []struct{ path, member, value string }{
		{responses, "tools", `[{"type":"web_search_preview"}]`},
		{responses, "tools", `[{"type":"file_search","vector_store_ids":["vs_1"]}]`},
		{responses, "tools", `[{"type":"code_interpreter","container":{"type":"auto"}}]`},
		{responses, "tools", `[{"type":"image_generation"}]`},
		{responses, "tools", `[{"type":"shell"}]`},
		{responses, "tools", `[{"type":"shell","environment":{"type":"container_auto"}}]`},
		{responses, "tools", `[{"type":"shell","environment":{"type":"container_auto","type":"local"}}]`},
		{responses, "tools", `[{"type":"shell","environment":"local"}]`},
		{responses, "tools", `[{"type":"function","name":"f"},{"type":"unheard_of"}]`},
		{responses, "tools", `[{"type":"web_search","type":"function"}]`},
		{responses, "tools", `[{"type":"web_search","Type":"function"}]`},
		{responses, "tools", `[{"type":"w\u0065b_search"}]`},
		{responses, "tools", `[{"type":["function"]}]`},
		{responses, "tools", `[{"type":"function"},7]`},
		{responses, "tools", `{"type":"function"}`},
		{responses, "tools", `[{"type":"namespace","name":"n","tools":[{"type":"web_search"}]}]`},
		{responses, "tools", `[{"type":"namespace","name":"n","tools":[{"type":"namespace","name":"m","tools":[]}]}]`},
		{responses, "context_management", `[{"type":"compaction","compact_threshold":1000}]`},
		{messages, "tools", `[{"type":"web_search_20250305","name":"web_search"}]`},
		{messages, "tools", `[{"type":"code_execution_20250825","name":"code_execution"}]`},
		{messages, "tools", `[{"type":"advisor_20260301","name":"advisor","model":"claude-fable-5"}]`},
		{messages, "context_management", `{"edits":[{"type":"clear_tool_uses_20250919"},{"type":"compact_20260112"}]}`},
		{messages, "context_management", `{"edits":[{"type":"compact_20260112","type":"clear_tool_uses_20250919"}]}`},
		{messages, "context_management", `{"edits":7}`},
		{messages, "context_management", `{"edits":[],"edits":[{"type":"compact_20260112"}]}`},
		{messages, "inference_geo", `"us"`},
		{messages, "inference_geo", `7`},
		{messages, "speed", `"f\u0061st"`},
		{chats, "web_search_options", `{}`},
		{chats, "service_tier", `"priority"`},
		{chats, "tools", `[{"type":"web_search"}]`},
	} {
		g.post("/v1/"+c.path, unmeteredBody(c.member, c.value)).wantOutcome("400 invalid_request").names(c.member)
	}
	for _, items := range []string{
		`[{"type":"message","role":"user","content":"hi"},{"type":"tool_search_output","tools":[{"type":"web_search"}]}]`,
		`[7,{"tools":[{"type":"shell"}]}]`,
	} {
		g.post("/v1/responses", object("model", testModel, "input", json.RawMessage(items))).wantOutcome("400 invalid_request").names("input")
	}
	if g.up.count() != 0 {
		t.Errorf("the provider was called %d times", g.up.count())
	}
}

// Tools that the client runs, and all that costs nothing but tokens, are welcome.
func TestWhatHasAMeterPasses(t *testing.T) {
	g := newGatewayHouse(t, completion)
	for _, c := range []struct{ member, value string }{
		{"tools", `null`},
		{"tools", `[]`},
		{"tools", `[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"c"}}]`},
		{"tools", `[{"name":"weather","input_schema":{"type":"object"}},{"type":"custom","name":"c"},{"type":null,"name":"n"}]`},
		{"tools", `[{"type":"namespace","name":"n","tools":[{"type":"function","name":"f"}]},{"type":"tool_search"}]`},
		{"tools", `[{"type":"mcp","server_url":"https://example.com"},{"type":"local_shell"},{"type":"apply_patch"},{"type":"shell","environment":{"type":"local"}}]`},
		{"tools", `[{"type":"computer_20250124"},{"type":"computer_use_preview"},{"type":"bash_20250124"},{"type":"text_editor_20250728"},{"type":"memory_20250818"},{"type":"web_fetch_20250910"}]`},
		{"context_management", `null`},
		{"context_management", `{"edits":[{"type":"clear_tool_uses_20250919","keep":{"type":"tool_uses","value":3}},{"type":"clear_thinking_20251015"}]}`},
		{"inference_geo", `null`},
		{"inference_geo", `"gl\u006fbal"`},
		{"service_tier", `"flex"`},
	} {
		g.post("/v1/chat/completions", unmeteredBody(c.member, c.value)).want(200)
	}
	g.post("/v1/responses", object("model", testModel, "input", json.RawMessage(`[7,"x",{"tools":[{"type":"function","name":"f"}]}]`))).want(200)
}

// Betas that change what a token costs are refused by their header, wherever in it
// they stand.
func TestUnmeteredBetasAreRefused(t *testing.T) {
	g := newGatewayHouse(t, jsonAnswer(`{"id":"msg_1","usage":{"input_tokens":1,"output_tokens":1}}`))
	for _, betas := range []string{
		"context-1m-2025-08-07", "files-api-2025-04-14, Compact-2026-01-12", "advisor-tool-2026-03-01,x", "fast-mode-2026-02-01",
	} {
		g.post("/v1/messages", chat(), "anthropic-beta", betas).wantOutcome("400 invalid_request").names("anthropic-beta")
	}
	if g.up.count() != 0 {
		t.Errorf("the provider was called %d times", g.up.count())
	}
	g.post("/v1/messages", chat(), "anthropic-beta", "interleaved-thinking-2025-05-14").want(200)
}
