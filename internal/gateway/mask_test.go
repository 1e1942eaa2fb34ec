package gateway

import "testing"

func TestMaskAccount(t *testing.T) {
	for text, want := range map[string]string{
		`Rate limit reached in organization org-AbC123 on tokens per min`: `Rate limit reached in organization org-*** on tokens per min`,
		`project proj_CANARY does not have access`:                        `project proj_*** does not have access`,
		`"Incorrect API key provided: sk-proj-****abcd."`:                 `"Incorrect API key provided: sk-***."`,
		`org-a,org-b org-c`:                      `org-***,org-*** org-***`,
		`"a\norg-1\u003cproj_2\u003e\"sk-3\""`:   `"a\norg-***\u003cproj_***\u003e\"sk-***\""`,
		`a task-force in cyborg-land, no_proj_x`: `a task-force in cyborg-land, no_proj_***`,
		`nothing`:                                `nothing`,
	} {
		if got := string(MaskAccount([]byte(text))); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}
