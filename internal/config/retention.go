package config

import (
	"fmt"
	"strconv"
)

// Bounds of how long usage rows stay, in days. The least leaves room for views of
// the last 30 days, in whichever time zone they begin.
const (
	MinUsageRetentionDays = 35
	MaxUsageRetentionDays = 36_500
)

// usageRetention reads USAGE_RETENTION_DAYS, which is 0 or within its bounds.
func (e *environment) usageRetention() int {
	text := e.text(variableUsageRetention)
	if text == "" {
		return 0
	}
	days, err := strconv.Atoi(text)
	isTooShort := days != 0 && days < MinUsageRetentionDays
	if err != nil || text[0] == '+' || isTooShort || days > MaxUsageRetentionDays {
		e.refuse(variableUsageRetention, fmt.Sprintf("must be 0 (keep for ever) or a whole number of days from %d to %d%s",
			MinUsageRetentionDays, MaxUsageRetentionDays, shownNumber(text)), "90")
	}
	return days
}

func retention(days int) string {
	if days == 0 {
		return "kept for ever"
	}
	return fmt.Sprintf("archived after %d days", days)
}
