package usagesummary

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sokuji/internal/ledger"
)

func slotOf(t time.Time) int64 { return t.Unix() / ledger.QuarterSeconds }

func one(tokens int64) ledger.UsageTotals {
	return ledger.UsageTotals{Uses: 1, Tokens: tokens, InputTokens: 2 * tokens, OutputTokens: 3 * tokens}
}

// The two hours that a Berlin clock shows as 02:00 on the night of the change stay
// apart, and so do the half hours of Lord Howe.
func TestRepeatedHoursStayApart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		zone, from string
		uses       map[string]int64 // tokens by moment
		want       []string
	}{
		{"Europe/Berlin", "2026-10-25T00:00Z",
			map[string]int64{"2026-10-25T00:00Z": 1, "2026-10-25T00:45Z": 2, "2026-10-25T01:00Z": 4, "2026-10-25T01:45Z": 8, "2026-10-25T02:00Z": 16},
			[]string{"2026-10-25T02:00:00+02:00 3", "2026-10-25T02:00:00+01:00 12", "2026-10-25T03:00:00+01:00 16"}},
		{"Europe/Berlin", "2026-03-29T00:00Z",
			map[string]int64{"2026-03-29T00:45Z": 1, "2026-03-29T01:00Z": 2},
			[]string{"2026-03-29T01:00:00+01:00 1", "2026-03-29T03:00:00+02:00 2", "2026-03-29T04:00:00+02:00 0"}},
		{"Australia/Lord_Howe", "2026-04-04T14:00Z",
			map[string]int64{"2026-04-04T14:45Z": 1, "2026-04-04T15:00Z": 2, "2026-04-04T15:15Z": 4, "2026-04-04T15:30Z": 8},
			[]string{"2026-04-05T01:00:00+11:00 1", "2026-04-05T01:30:00+10:30 6", "2026-04-05T02:00:00+10:30 8"}},
	} {
		from := moment(t, test.from)
		p, err := NewPeriod(Hour, zone(t, test.zone), from, from.Add(150*time.Minute), from)
		if err != nil {
			t.Fatal(err)
		}
		s := NewSummary(p)
		for text, tokens := range test.uses {
			if !s.Add(slotOf(moment(t, text)), one(tokens)) {
				t.Errorf("%s: %s was left out", test.zone, text)
			}
		}
		var got []string
		for _, bucket := range s.Buckets {
			got = append(got, fmt.Sprint(bucket.Start.Format(time.RFC3339), " ", bucket.Tokens))
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: got %v, want %v", test.zone, got, test.want)
		}
	}
}

func TestWhatLiesOutsideIsLeftOut(t *testing.T) {
	t.Parallel()
	from := moment(t, "2026-11-24T00:00Z")
	p, err := NewPeriod(Day, time.UTC, from, from.Add(time.Hour), from)
	if err != nil {
		t.Fatal(err)
	}
	s := NewSummary(p)
	for offset, inside := range map[int64]bool{-1: false, 0: true, 95: true, 96: false} {
		if s.Add(slotOf(from)+offset, one(1)) != inside {
			t.Errorf("slot %d: want inside %v", offset, inside)
		}
	}
	if want := (ledger.UsageTotals{Uses: 2, Tokens: 2, InputTokens: 4, OutputTokens: 6}); s.Total != want || s.Buckets[0].UsageTotals != want {
		t.Errorf("total %v, bucket %v", s.Total, s.Buckets[0].UsageTotals)
	}
}

// zonesOfAllSorts have odd offsets, changes at midnight, changes of half an hour
// and of two hours, and a day that never was.
var zonesOfAllSorts = []string{
	"UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham",
	"America/Sao_Paulo", "America/Havana", "Asia/Beirut", "America/Santiago", "Antarctica/Troll", "Africa/Casablanca",
	"Asia/Tehran", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Gaza", "Africa/Cairo",
}

// Whatever the zone and the period: buckets follow each other without gap, each
// row counts in exactly one, that one shows the row's own day or hour, and the
// sums agree.
func TestEveryRowCountsOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		zone := zone(t, rapid.SampledFrom(zonesOfAllSorts).Draw(rt, "zone"))
		unit := rapid.SampledFrom([]Unit{Day, Hour}).Draw(rt, "unit")
		first := moment(t, "2011-12-01T00:00Z").Unix()
		from := time.Unix(first+rapid.Int64Range(0, 20*366*86400).Draw(rt, "from"), 0)
		to := from.Add(time.Duration(rapid.Int64Range(1, 30*86400).Draw(rt, "seconds")) * time.Second)
		p, err := NewPeriod(unit, zone, from, to, to)
		if err != nil {
			rt.Fatal(err)
		}
		if p.From().After(from) || p.To().Before(to) {
			rt.Fatalf("%s to %s is not inside %s to %s", from, to, p.From(), p.To())
		}
		s := NewSummary(p)
		checkNeighbours(rt, s)

		var inside ledger.UsageTotals
		slots := rapid.SliceOfN(rapid.Int64Range(slotOf(p.From())-200, slotOf(p.To())+200), 0, 200).Draw(rt, "slots")
		for i, slot := range slots {
			totals, start := one(int64(i+1)), time.Unix(slot*ledger.QuarterSeconds, 0)
			before := make([]Bucket, len(s.Buckets))
			copy(before, s.Buckets)
			isInside := !start.Before(p.From()) && start.Before(p.To())
			if s.Add(slot, totals) != isInside {
				rt.Fatalf("slot at %s: want inside %v", start, isInside)
			}
			if isInside {
				add(&inside, totals)
				checkBucket(rt, unit, start.In(zone), changed(rt, before, s.Buckets))
			}
		}
		var sum ledger.UsageTotals
		for _, bucket := range s.Buckets {
			add(&sum, bucket.UsageTotals)
		}
		if sum != inside || s.Total != inside {
			rt.Fatalf("buckets sum to %v, total %v, want %v", sum, s.Total, inside)
		}
	})
}

func checkNeighbours(rt *rapid.T, s *Summary) {
	for i, bucket := range s.Buckets {
		end := s.Period.To()
		if i+1 < len(s.Buckets) {
			end = s.Buckets[i+1].Start
		}
		length, least, most := end.Sub(bucket.Start), 15*time.Minute, time.Hour
		if s.Period.Unit == Day {
			least, most = 21*time.Hour, 27*time.Hour
		}
		if length < least || length > most {
			rt.Fatalf("the bucket of %s is %s long", bucket.Start, length)
		}
	}
}

// changed returns the one bucket that is not as it was.
func changed(rt *rapid.T, before, after []Bucket) Bucket {
	found := -1
	for i := range after {
		if after[i].UsageTotals != before[i].UsageTotals {
			if found >= 0 {
				rt.Fatalf("a row counted in the buckets of %s and %s", after[found].Start, after[i].Start)
			}
			found = i
		}
	}
	if found < 0 {
		rt.Fatal("a row counted nowhere")
	}
	return after[found]
}

// checkBucket asks the time package what a clock showed.
func checkBucket(rt *rapid.T, unit Unit, row time.Time, bucket Bucket) {
	layout := time.DateOnly
	if unit == Hour {
		layout = "2006-01-02 15 -07:00"
	}
	if got, want := bucket.Start.Format(layout), row.Format(layout); got != want {
		rt.Fatalf("the row of %s counted on %s", want, got)
	}
}
