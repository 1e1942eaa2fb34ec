package ledger

import "time"

// kept is the rows of one table that a batch changed, in order of first change.
type kept[R any] struct {
	byID  map[string]R
	order []string
}

func (k *kept[R]) put(id string, row R) {
	if k.byID == nil {
		k.byID = make(map[string]R)
	}
	if _, known := k.byID[id]; !known {
		k.order = append(k.order, id)
	}
	k.byID[id] = row
}

func (k *kept[R]) get(id string) (R, bool) {
	row, ok := k.byID[id]
	return row, ok
}

// rows is the last state of each.
func (k *kept[R]) rows() []R {
	rows := make([]R, 0, len(k.order))
	for _, id := range k.order {
		rows = append(rows, k.byID[id])
	}
	return rows
}

// rollups sums the uses of a batch by wallet and day, and by wallet and quarter
// of an hour.
type rollups struct {
	daily    []DailyUsage
	quarters []QuarterUsage
	byDay    map[Subject]int // a batch has one moment, so one day and one quarter
}

func (r *rollups) add(usage *UsageRow) {
	if r.byDay == nil {
		r.byDay = make(map[Subject]int)
	}
	index, known := r.byDay[usage.Subject]
	if !known {
		index = len(r.daily)
		r.byDay[usage.Subject] = index
		r.daily = append(r.daily, DailyUsage{Subject: usage.Subject, Day: usage.CreatedAt.Format(time.DateOnly)})
		r.quarters = append(r.quarters, QuarterUsage{Subject: usage.Subject, Slot: usage.CreatedAt.Unix() / QuarterSeconds})
	}
	r.daily[index].add(usage)
	r.quarters[index].add(usage)
}

func (r *rollups) rows() ([]DailyUsage, []QuarterUsage) { return r.daily, r.quarters }
