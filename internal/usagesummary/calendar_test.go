package usagesummary

import (
	"testing"
	"time"
	_ "time/tzdata" // the tests do not depend on the machine's zones
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	found, err := ParseZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// moment reads a moment in UTC, down to the minute.
func moment(t *testing.T, text string) time.Time {
	t.Helper()
	found, err := time.Parse("2006-01-02T15:04Z", text)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestDaysBeginWhereTheClockSaysSo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, zone, day, want string }{
		{"UTC", "UTC", "2026-11-24", "2026-11-24T00:00Z"},
		{"winter", "Europe/Berlin", "2026-11-24", "2026-11-23T23:00Z"},
		{"summer", "Europe/Berlin", "2026-07-01", "2026-06-30T22:00Z"},
		{"the day that loses an hour", "Europe/Berlin", "2026-03-29", "2026-03-28T23:00Z"},
		{"and the one after it", "Europe/Berlin", "2026-03-30", "2026-03-29T22:00Z"},
		{"the day that gains an hour", "Europe/Berlin", "2026-10-25", "2026-10-24T22:00Z"},
		{"and the one after it", "Europe/Berlin", "2026-10-26", "2026-10-25T23:00Z"},
		{"three quarters", "Asia/Kathmandu", "2026-11-24", "2026-11-23T18:15Z"},
		{"half an hour, behind", "America/St_Johns", "2026-11-24", "2026-11-24T03:30Z"},
		{"half an hour of summer", "Australia/Lord_Howe", "2026-01-10", "2026-01-09T13:00Z"},
		{"and none in winter", "Australia/Lord_Howe", "2026-07-10", "2026-07-09T13:30Z"},
		{"the day before one that never was", "Pacific/Apia", "2011-12-29", "2011-12-29T10:00Z"},
		{"a day that never was", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00Z"},
		{"the day after it", "Pacific/Apia", "2011-12-31", "2011-12-30T10:00Z"},
		{"midnight that never was", "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00Z"},
		{"midnight that came twice", "America/Havana", "2025-11-02", "2025-11-02T04:00Z"},
		{"the clock went back over midnight", "America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00Z"},
		{"and for a minute it had been tomorrow", "America/St_Johns", "2010-11-07", "2010-11-07T02:30Z"},
	} {
		date, err := time.Parse(time.DateOnly, test.day)
		if err != nil {
			t.Fatal(err)
		}
		got := StartOfDay(zone(t, test.zone), date.Year(), date.Month(), date.Day())
		if want := moment(t, test.want); !got.Equal(want) {
			t.Errorf("%s: %s %s begins at %s, want %s", test.name, test.zone, test.day, got.UTC(), want)
		}
	}
}

func TestHoursBeginWhereTheClockSaysSo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, zone, at, start, next string }{
		{"UTC", "UTC", "2026-11-24T08:59Z", "2026-11-24T08:00Z", "2026-11-24T09:00Z"},
		{"on the hour", "UTC", "2026-11-24T08:00Z", "2026-11-24T08:00Z", "2026-11-24T09:00Z"},
		{"three quarters", "Asia/Kathmandu", "2026-11-24T08:14Z", "2026-11-24T07:15Z", "2026-11-24T08:15Z"},
		{"half an hour", "America/St_Johns", "2026-11-24T08:00Z", "2026-11-24T07:30Z", "2026-11-24T08:30Z"},
		{"before the epoch", "Asia/Kolkata", "1969-12-31T23:00Z", "1969-12-31T22:30Z", "1969-12-31T23:30Z"},
		{"before an hour is lost", "Europe/Berlin", "2026-03-29T00:30Z", "2026-03-29T00:00Z", "2026-03-29T01:00Z"},
		{"after an hour is lost", "Europe/Berlin", "2026-03-29T01:30Z", "2026-03-29T01:00Z", "2026-03-29T02:00Z"},
		{"an hour for the first time", "Europe/Berlin", "2026-10-25T00:30Z", "2026-10-25T00:00Z", "2026-10-25T01:00Z"},
		{"and for the second", "Europe/Berlin", "2026-10-25T01:30Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"},
		{"half an hour for the first time", "Australia/Lord_Howe", "2026-04-04T14:45Z", "2026-04-04T14:00Z", "2026-04-04T15:00Z"},
		{"and for the second", "Australia/Lord_Howe", "2026-04-04T15:15Z", "2026-04-04T15:00Z", "2026-04-04T15:30Z"},
		{"half an hour is lost", "Australia/Lord_Howe", "2026-10-03T15:45Z", "2026-10-03T15:30Z", "2026-10-03T16:00Z"},
		{"before the clock moves within an hour", "America/St_Johns", "2010-11-07T02:30Z", "2010-11-07T02:30Z", "2010-11-07T02:31Z"},
		{"and after it", "America/St_Johns", "2010-11-07T02:45Z", "2010-11-07T02:31Z", "2010-11-07T03:30Z"},
		{"a day is lost", "Pacific/Apia", "2011-12-30T10:00Z", "2011-12-30T10:00Z", "2011-12-30T11:00Z"},
	} {
		at := moment(t, test.at).In(zone(t, test.zone))
		if got, want := startOfHour(at), moment(t, test.start); !got.Equal(want) {
			t.Errorf("%s: the hour of %s begins at %s, want %s", test.name, test.at, got.UTC(), want)
		}
		if got, want := startOfNextHour(at), moment(t, test.next); !got.Equal(want) {
			t.Errorf("%s: the hour of %s ends at %s, want %s", test.name, test.at, got.UTC(), want)
		}
	}
}

func TestZones(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"": "UTC", "UTC": "UTC", "Asia/Kathmandu": "Asia/Kathmandu", "Etc/GMT+5": "Etc/GMT+5"} {
		if got, err := ParseZone(name); err != nil || got.String() != want {
			t.Errorf("%q gives %s, %v", name, got, err)
		}
	}
	for _, name := range []string{
		"Local", "localtime", "right/Europe/Berlin", "Mars/Olympus", "+01:00", "../../etc/passwd", "/etc/localtime", "Europe/", "\x00",
		"Europe/Berlin ", string(make([]byte, 65)),
	} {
		if got, err := ParseZone(name); fieldOf(err) != "tz" {
			t.Errorf("%q gives %s, %v", name, got, err)
		}
	}
}
