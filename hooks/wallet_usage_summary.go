package hooks

import (
	"net/http"
	"net/url"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
	"sokuji/internal/usagesummary"
)

// summaryAnswer is a chart of what a wallet used.
type summaryAnswer struct {
	Bucket  usagesummary.Unit `json:"bucket"`
	Zone    string            `json:"tz"`
	From    string            `json:"from"` // of the first bucket
	To      string            `json:"to"`   // of the last one, not included
	Buckets []bucketJSON      `json:"buckets"`
	Total   totalsJSON        `json:"total"`
}

type bucketJSON struct {
	Start string `json:"start"`
	Local string `json:"local"` // the same moment as the zone's clocks show it
	totalsJSON
}

type totalsJSON struct {
	Uses         int64 `json:"uses"`
	Tokens       int64 `json:"tokens"`
	InputTokens  int64 `json:"inputTokens"`
	OutputTokens int64 `json:"outputTokens"`
}

// walletUsageSummary sums a wallet's uses by day or hour of a time zone.
func (s *server) walletUsageSummary(e *core.RequestEvent) error {
	subject, err := s.requireWalletReader(e)
	if err != nil {
		return err
	}
	if _, err := s.ledger.Wallet(e.Request.Context(), subject); err != nil {
		return err // an unknown wallet has no empty chart
	}
	period, err := summaryPeriod(e.Request.URL.Query(), time.Now())
	if err != nil {
		return err
	}
	summary := usagesummary.NewSummary(period)
	err = s.store.EachQuarter(e.Request.Context(), subject, period.From(), period.To(), func(quarter ledger.QuarterUsage) {
		summary.Add(quarter.Slot, quarter.UsageTotals)
	})
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, showSummary(summary))
}

func showSummary(summary *usagesummary.Summary) summaryAnswer {
	period := summary.Period
	answer := summaryAnswer{
		Bucket: period.Unit, Zone: period.Zone.String(), From: isoTime(period.From()), To: isoTime(period.To()),
		Buckets: make([]bucketJSON, 0, len(summary.Buckets)), Total: totalsJSON(summary.Total),
	}
	for _, bucket := range summary.Buckets {
		answer.Buckets = append(answer.Buckets, bucketJSON{
			Start: isoTime(bucket.Start), Local: bucket.Start.Format(time.RFC3339), totalsJSON: totalsJSON(bucket.UsageTotals),
		})
	}
	return answer
}

func summaryPeriod(query url.Values, now time.Time) (usagesummary.Period, error) {
	unit := usagesummary.Day
	if query.Has("bucket") {
		unit = usagesummary.Unit(query.Get("bucket"))
	}
	zone, err := usagesummary.ParseZone(query.Get("tz"))
	if err != nil {
		return usagesummary.Period{}, err
	}
	from, err := instantIn(zone, query, "from")
	if err != nil {
		return usagesummary.Period{}, err
	}
	to, err := instantIn(zone, query, "to")
	if err != nil {
		return usagesummary.Period{}, err
	}
	return usagesummary.NewPeriod(unit, zone, from, to, now)
}

// instantIn reads RFC 3339, or a date, which means its first moment in the zone.
func instantIn(zone *time.Location, query url.Values, name string) (time.Time, error) {
	at, err := instant(query, name)
	if err != nil || query.Get(name) == "" {
		return at, err
	}
	if date, err := time.Parse(time.DateOnly, query.Get(name)); err == nil {
		at = usagesummary.StartOfDay(zone, date.Year(), date.Month(), date.Day())
	}
	return given(at), nil
}
