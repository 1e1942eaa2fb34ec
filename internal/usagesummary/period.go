package usagesummary

import (
	"fmt"
	"slices"
	"time"

	"sokuji/internal/ledger"
)

// Unit is how long a bucket is on the wall.
type Unit string

const (
	Day  Unit = "day"
	Hour Unit = "hour"
)

// Bounds of a period, in buckets. The hours are the longest month: 31 days, one of
// which has an hour twice.
const (
	MaxDays  = 366
	MaxHours = 31*24 + 1

	DefaultDays  = 30
	DefaultHours = 24
)

// Years that a period may touch.
const (
	FirstYear = 1971
	LastYear  = 2999
)

// Period is a row of buckets without gaps. The zero value has none; NewPeriod
// makes one with at least one.
type Period struct {
	Unit   Unit
	Zone   *time.Location
	starts []time.Time // ascending
	end    time.Time
}

// NewPeriod makes the buckets that a period touches; from is included, to is not.
// A zero to is the end of the bucket that now lies in, a zero from leaves the
// default number of buckets before to. The error is a ledger.Error that names the
// field.
func NewPeriod(unit Unit, zone *time.Location, from, to, now time.Time) (Period, error) {
	if unit != Day && unit != Hour {
		return Period{}, ledger.Invalid("bucket", "bucket must be day or hour.")
	}
	p := Period{Unit: unit, Zone: zone}
	if to.IsZero() {
		to = p.next(p.startOf(now))
	}
	if from.IsZero() {
		from = p.defaultFrom(to)
	}
	if err := checkYear("from", from); err != nil {
		return Period{}, err
	}
	if err := checkYear("to", to); err != nil {
		return Period{}, err
	}
	if !from.Before(to) {
		return Period{}, ledger.Invalid("from", "from must be before to: to is not included, and without it the period ends with the current bucket.")
	}
	if !p.cut(from, to) {
		return Period{}, ledger.Invalid("from", fmt.Sprintf("from and to may span at most %d buckets of one %s: choose a shorter period.", p.most(), unit))
	}
	return p, nil
}

func checkYear(field string, t time.Time) error {
	if year := t.UTC().Year(); year < FirstYear || year > LastYear {
		return ledger.Invalid(field, fmt.Sprintf("%s must lie in the years %d to %d.", field, FirstYear, LastYear))
	}
	return nil
}

// cut makes the buckets, and is false when there are too many.
func (p *Period) cut(from, to time.Time) bool {
	start := p.startOf(from)
	for start.Before(to) {
		if len(p.starts) == p.most() {
			return false
		}
		p.starts = append(p.starts, start)
		start = p.next(start)
	}
	p.end = start
	return true
}

func (p *Period) defaultFrom(to time.Time) time.Time {
	last := p.startOf(to.Add(-time.Nanosecond))
	if p.Unit == Hour {
		return p.next(last).Add(-DefaultHours * time.Hour)
	}
	year, month, day := last.Date()
	return StartOfDay(p.Zone, year, month, day-DefaultDays+1)
}

func (p *Period) most() int {
	if p.Unit == Hour {
		return MaxHours
	}
	return MaxDays
}

func (p *Period) startOf(t time.Time) time.Time {
	if p.Unit == Hour {
		return startOfHour(t.In(p.Zone))
	}
	return startOfDayOf(t.In(p.Zone))
}

func (p *Period) next(start time.Time) time.Time {
	if p.Unit == Hour {
		return startOfNextHour(start)
	}
	return startOfNextDay(start)
}

// From is the start of the first bucket.
func (p Period) From() time.Time { return p.starts[0] }

// To is the end of the last bucket, which is not part of it.
func (p Period) To() time.Time { return p.end }

// index finds the bucket that a moment lies in.
func (p Period) index(t time.Time) (int, bool) {
	if t.Before(p.starts[0]) || !t.Before(p.end) {
		return 0, false
	}
	at, exact := slices.BinarySearchFunc(p.starts, t, time.Time.Compare)
	if exact {
		return at, true
	}
	return at - 1, true
}
