package config

import (
	"slices"
	"strings"
	"testing"
)

func TestUsageRetention(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 0, " ": 0, "0": 0, "35": 35, " 90 ": 90, "36500": 36_500} {
		if got := mustLoad(t, map[string]string{"USAGE_RETENTION_DAYS": text}).UsageRetentionDays; got != want {
			t.Errorf("%q gives %d days, want %d", text, got, want)
		}
	}
}

func TestUsageRetentionIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1", "30", "34", "-1", "-35", "36501", "+90", "90d", "1e2", "35.5", "99999999999999999999", "for ever"} {
		_, err := Load(variables(map[string]string{"USAGE_RETENTION_DAYS": text}))
		if err == nil {
			t.Errorf("%q was accepted", text)
			continue
		}
		for _, part := range []string{"USAGE_RETENTION_DAYS must be 0 (keep for ever)", "35 to 36500", "set for example USAGE_RETENTION_DAYS=90"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: no %q in %q", text, part, err)
			}
		}
	}
}

func TestSummaryOfRetention(t *testing.T) {
	t.Parallel()
	lines := mustLoad(t, map[string]string{"USAGE_RETENTION_DAYS": "90"}).Summary()
	if !slices.Contains(lines, "usage rows: archived after 90 days") {
		t.Errorf("got %q", lines)
	}
}
