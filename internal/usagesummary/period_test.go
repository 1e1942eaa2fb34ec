package usagesummary

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sokuji/internal/ledger"
)

// fieldOf is the field that an error refuses.
func fieldOf(err error) string {
	refusal, ok := errors.AsType[*ledger.Error](err)
	if !ok || refusal.Code != ledger.CodeInvalidRequest {
		return ""
	}
	return refusal.Field
}

// at reads a moment, or none.
func at(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	return moment(t, text)
}

const now = "2026-11-24T08:20Z"

func TestPeriods(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name           string
		unit           Unit
		zone, from, to string
		wantFrom       string
		wantTo         string
		buckets        int
	}{
		{"the last 30 days", Day, "UTC", "", "", "2026-10-26T00:00Z", "2026-11-25T00:00Z", 30},
		{"over a change of clocks", Day, "Europe/Berlin", "", "2026-11-01T00:00Z", "2026-10-02T22:00Z", "2026-11-01T23:00Z", 30},
		{"the last 24 hours", Hour, "UTC", "", "", "2026-11-23T09:00Z", "2026-11-24T09:00Z", 24},
		{"the last 24 hours, odd zone", Hour, "Asia/Kathmandu", "", "", "2026-11-23T09:15Z", "2026-11-24T09:15Z", 24},
		{"until now", Day, "UTC", "2026-11-22T12:00Z", "", "2026-11-22T00:00Z", "2026-11-25T00:00Z", 3},
		{"whole buckets stay", Hour, "UTC", "2026-11-22T12:00Z", "2026-11-22T13:00Z", "2026-11-22T12:00Z", "2026-11-22T13:00Z", 1},
		{"a minute is widened to its hour", Hour, "UTC", "2026-11-22T12:10Z", "2026-11-22T12:11Z", "2026-11-22T12:00Z", "2026-11-22T13:00Z", 1},
		{"and to its day", Day, "America/St_Johns", "2026-11-22T03:29Z", "2026-11-22T03:31Z", "2026-11-21T03:30Z", "2026-11-23T03:30Z", 2},
		{"a year", Day, "UTC", "2028-01-01T00:00Z", "2029-01-01T00:00Z", "2028-01-01T00:00Z", "2029-01-01T00:00Z", 366},
		{"the longest month", Hour, "Europe/Berlin", "2026-09-30T22:00Z", "2026-10-31T23:00Z", "2026-09-30T22:00Z", "2026-10-31T23:00Z", 745},
		{"23 hours", Hour, "Europe/Berlin", "2026-03-28T23:00Z", "2026-03-29T22:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z", 23},
		{"25 hours", Hour, "Europe/Berlin", "2026-10-24T22:00Z", "2026-10-25T23:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z", 25},
		{"24.5 hours", Hour, "Australia/Lord_Howe", "2026-04-04T13:00Z", "2026-04-05T13:30Z", "2026-04-04T13:00Z", "2026-04-05T13:30Z", 25},
		{"23.5 hours", Hour, "Australia/Lord_Howe", "2026-10-03T13:30Z", "2026-10-04T13:00Z", "2026-10-03T13:30Z", "2026-10-04T13:00Z", 24},
		{"no bucket for a day that never was", Day, "Pacific/Apia", "2011-12-29T10:00Z", "2012-01-01T09:59Z", "2011-12-29T10:00Z", "2012-01-01T10:00Z", 3},
	} {
		p, err := NewPeriod(test.unit, zone(t, test.zone), at(t, test.from), at(t, test.to), moment(t, now))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if !p.From().Equal(moment(t, test.wantFrom)) || !p.To().Equal(moment(t, test.wantTo)) || len(p.starts) != test.buckets {
			t.Errorf("%s: %d buckets from %s to %s", test.name, len(p.starts), p.From().UTC(), p.To().UTC())
		}
	}
}

func TestPeriodsAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		unit     Unit
		from, to string
		field    string
		says     string
	}{
		{"no such unit", "week", "", "", "bucket", "day or hour"},
		{"367 days", Day, "2028-01-01T00:00Z", "2029-01-01T00:01Z", "from", "366"},
		{"746 hours", Hour, "2026-01-01T00:00Z", "2026-02-01T01:01Z", "from", "745"},
		{"a thousand years", Hour, "1971-01-01T00:00Z", "2999-12-31T00:00Z", "from", "745"},
		{"nothing", Day, "2026-11-01T00:00Z", "2026-11-01T00:00Z", "from", "before to"},
		{"backwards", Day, "2026-11-02T00:00Z", "2026-11-01T00:00Z", "from", "before to"},
		{"the future", Day, "2027-01-01T00:00Z", "", "from", "before to"},
		{"too early", Day, "1970-12-31T23:59Z", "1971-01-02T00:00Z", "from", "1971"},
		{"too late", Day, "2999-12-31T23:59Z", "3000-01-01T00:00Z", "to", "2999"},
	} {
		_, err := NewPeriod(test.unit, time.UTC, at(t, test.from), at(t, test.to), moment(t, now))
		if fieldOf(err) != test.field || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}
