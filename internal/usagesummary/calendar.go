package usagesummary

import "time"

const (
	hour = int64(time.Hour / time.Second) // in seconds

	// farthestOffset is more than any zone ever was away from UTC.
	farthestOffset = 26 * time.Hour
)

// StartOfDay returns the first moment of a day in a zone. That is not always
// midnight: some zones move their clocks at midnight. A day that the zone skipped
// begins with the day after it. Days and months out of range count on, as in
// time.Date.
func StartOfDay(zone *time.Location, year int, month time.Month, day int) time.Time {
	// Midnight on the wall, written as if the wall were in UTC.
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	t := midnight.Add(-farthestOffset).In(zone)
	for {
		_, offset := t.Zone()
		moment := midnight.Add(-time.Duration(offset) * time.Second).In(zone)
		if !moment.After(t) {
			return t // the clocks were moved past midnight at t
		}
		_, end := t.ZoneBounds()
		if end.IsZero() || moment.Before(end) {
			return moment
		}
		t = end
	}
}

func startOfDayOf(t time.Time) time.Time {
	year, month, day := t.Date()
	return StartOfDay(t.Location(), year, month, day)
}

func startOfNextDay(t time.Time) time.Time {
	year, month, day := t.Date()
	for {
		day++
		if next := StartOfDay(t.Location(), year, month, day); next.After(t) {
			return next
		}
	}
}

// startOfHour returns the last moment, t included, at which a clock in t's zone
// showed a full hour or was moved.
func startOfHour(t time.Time) time.Time {
	start := time.Unix(t.Unix()-secondsIntoHour(t), 0).In(t.Location())
	for probe := t; ; {
		moved, _ := probe.ZoneBounds()
		if moved.IsZero() || !moved.After(start) {
			return start
		}
		probe = moved.Add(-time.Second)
		if offsetOf(probe) != offsetOf(t) {
			return moved
		}
	}
}

// startOfNextHour returns the first moment after t at which a clock in t's zone
// shows a full hour or is moved.
func startOfNextHour(t time.Time) time.Time {
	next := time.Unix(t.Unix()-secondsIntoHour(t)+hour, 0).In(t.Location())
	for probe := t; ; {
		_, moved := probe.ZoneBounds()
		if moved.IsZero() || !moved.Before(next) {
			return next
		}
		if offsetOf(moved) != offsetOf(t) {
			return moved
		}
		probe = moved // only the name of the zone changed
	}
}

func offsetOf(t time.Time) int64 {
	_, offset := t.Zone()
	return int64(offset)
}

func secondsIntoHour(t time.Time) int64 {
	return ((t.Unix()+offsetOf(t))%hour + hour) % hour
}
