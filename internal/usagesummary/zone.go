package usagesummary

import (
	"strings"
	"time"

	"sokuji/internal/ledger"
)

// maxZoneBytes is the longest name of a time zone, in bytes.
const maxZoneBytes = 64

// ParseZone finds a time zone by its IANA name; no name means UTC. Names for the
// machine's own zone, and zones that count leap seconds, are refused: a chart must
// not depend on where the server stands, nor have hours that are 27 seconds off.
func ParseZone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	if len(name) <= maxZoneBytes && name != "Local" && name != "localtime" && !strings.HasPrefix(name, "right/") {
		if zone, err := time.LoadLocation(name); err == nil {
			return zone, nil
		}
	}
	return nil, ledger.Invalid("tz", "tz must be a time zone's name such as Europe/Berlin or UTC.")
}
