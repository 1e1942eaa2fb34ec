package hooks

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"sokuji/internal/pricebook"
	"sokuji/internal/pricing"
)

// priceCommand runs "sokuji price …" as the command line does.
func priceCommand(t *testing.T, arguments ...string) (output string, err error) {
	t.Helper()
	root := &cobra.Command{Use: "sokuji", SilenceErrors: true}
	root.PersistentFlags().String("dir", filepath.Join(t.TempDir(), "pb_data"), "")
	root.AddCommand(newPriceCommand())
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs(append([]string{"price"}, arguments...))
	err = root.ExecuteContext(t.Context())
	return regexp.MustCompile(` +`).ReplaceAllString(out.String(), " "), err
}

func TestPriceCheckReadsALiveServersBook(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1_000_000)
	h.charge("provider", "openai", "model", "whisper-1", "durationSeconds", 1)
	h.use(h.alice, 5)
	before := listing(t, h.app.DataDir())
	output, err := priceCommand(t, "check", "--dir", h.app.DataDir())
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for _, line := range []string{
		"openai gpt-4o - 1.2 in_text 2.5 300000\n", "openai gpt-4o - 1.2 out_text 10 1200000\n",
		"openai whisper-1 - 1.2 milliseconds 0.1 12000\n", "anthropic claude-sonnet-4-5 - 1.2 in_cache_write_1h 6 720000\n", "\nsound: prices: ",
	} {
		if !strings.Contains(output, line) {
			t.Errorf("%q is not in:\n%s", line, output)
		}
	}
	if after := listing(t, h.app.DataDir()); after != before {
		t.Errorf("files were\n%s\nand are\n%s", before, after)
	}
}

func TestPriceCheckFindsWhatWasUsedWithoutAPrice(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1_000_000)
	h.price("ended", "in_text", 5)
	h.charge("provider", "openai", "model", "ended", "inputTokens", 1000)
	for _, statement := range []string{"DROP TRIGGER prices_no_delete", "DELETE FROM prices WHERE model = 'ended'"} {
		h.mustExecute(statement)
	}
	_, err := priceCommand(t, "check", "--backup", h.bareCopy())
	if err == nil || !strings.Contains(err.Error(), "the first: problem: openai ended: it was called 1 times and has no price in force") {
		t.Errorf("got %v", err)
	}
}

func TestPriceCheckTakesThePlansMargin(t *testing.T) {
	h := newHouse(t)
	h.do("PATCH", "/api/collections/plans/records/pro_plan", h.asRoot(), object("margin_ppm", 1_100_000)).want(200)
	output, err := priceCommand(t, "check", "--plan", "pro_plan", "--dir", h.app.DataDir())
	if err != nil || !strings.Contains(output, "openai gpt-4o - 1.1 in_text 2.5 275000\n") {
		t.Errorf("%v: %s", err, output)
	}
	if _, err := priceCommand(t, "check", "--plan", "no_plan", "--dir", h.app.DataDir()); err == nil || !strings.Contains(err.Error(), `there is no plan "no_plan"`) {
		t.Errorf("an unknown plan: %v", err)
	}
}

func TestPriceCheckReadsAFile(t *testing.T) {
	file := writeTemporary(t, "provider,model,effective_from,in_text\nopenai,m,2999-01-01,2500000\n")
	output, err := priceCommand(t, "check", file)
	if err != nil || !strings.Contains(output, "openai m 2999-01-01 1.2 in_text 2.5 300000\nnote: openai m: it is in force from 2999-01-01T00:00:00Z on\nsound: prices: 1, notes: 1\n") {
		t.Errorf("%v: %s", err, output)
	}
	if _, err := priceCommand(t, "check", writeTemporary(t, "provider,model\nopenai,m\n")); err == nil || !strings.Contains(err.Error(), "no rate at all") {
		t.Errorf("a row without a rate: %v", err)
	}
	if _, err := priceCommand(t, "check", file, "--plan", "pro_plan"); err == nil {
		t.Error("a plan of a file is taken")
	}
}

func TestPriceWhatIf(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1_000_000)
	h.mint(h.bob, 1_000_000)
	h.do("PATCH", "/api/collections/entitlements/records/"+ofUser("entitlements", "subject_id")(h), h.asRoot(), object("plan_id", "pro_plan")).want(200)
	h.charge("provider", "openai", "model", "gpt-4o", "inputTokens", 1000, "outputTokens", 100)                       // 300 + 120
	h.charge("provider", "openai", "model", "gpt-4o-mini-realtime-preview", "modality", "audio", "inputTokens", 1000) // 1200
	h.use(h.alice, 50)
	h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", h.bob.Id, "provider", "openai", "model", "whisper-1", "durationSeconds", 1)).want(200) // 12
	candidate := writeTemporary(t, `[{"provider":"openai","model":"gpt-4o","in_text":5000000,"out_text":10000000,"effective_from":"2999-01-01"},
		{"provider":"openai","model":"gpt-4o-mini-realtime","match":"prefix","in_audio":5000000}, {"provider":"openai","model":"tts-1","in_text":1}]`)

	before := listing(t, h.app.DataDir())
	output, err := priceCommand(t, "what-if", candidate, "--days", "1", "--dir", h.app.DataDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"free_plan 1 12 12 +0 +0.0\n",
		"pro_plan 3 1670 1370 -300 -17.9\n", // 600 + 120, 600, 50
		"total 4 1682 1382 -300 -17.8\n",
		"uses that count as charged: 1, because their model is not in the file\n", "uses that count as charged: 1, because they were charged by amount\n",
	} {
		if !strings.Contains(output, line) {
			t.Errorf("%q is not in:\n%s", line, output)
		}
	}
	if after := listing(t, h.app.DataDir()); after != before {
		t.Errorf("files were\n%s\nand are\n%s", before, after)
	}
	for _, days := range []string{"0", "-1", "9999999"} {
		if _, err := priceCommand(t, "what-if", candidate, "--days="+days, "--dir", h.app.DataDir()); err == nil || !strings.Contains(err.Error(), "--days") {
			t.Errorf("--days %s: %v", days, err)
		}
	}
	if _, err := priceCommand(t, "what-if", candidate, "--dir", t.TempDir()); err == nil {
		t.Error("no data folder is no error")
	}
}

// A call keeps its counts by class, so that it can be repriced class by class.
func TestAUsedRowKnowsItsClasses(t *testing.T) {
	for _, test := range []struct {
		row  usedRow
		want pricing.Usage
	}{
		{usedRow{counts: `{"in_text":5,"in_cached_text":3,"requests":1}`, modality: "audio", input: 8}, pricing.Usage{InText: 5, InCachedText: 3, Requests: 1}},
		{usedRow{counts: "null", modality: "audio", input: 8, output: 2, milliseconds: 7}, pricing.Usage{InAudio: 8, OutAudio: 2, Milliseconds: 7}},
		{usedRow{modality: "text", input: 8, output: 2}, pricing.Usage{InText: 8, OutText: 2}},
	} {
		if got, err := test.row.usage(); err != nil || got != test.want {
			t.Errorf("%+v: got %+v, %v", test.row, got, err)
		}
	}
	if _, err := (usedRow{counts: "{"}).usage(); err == nil {
		t.Error("broken counts are read")
	}
}

// What a check prints of a price is what a call is charged: the example of
// docs/pricing.md.
func TestTheExampleOfTheDocs(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1_000_000)
	got := h.do("POST", "/api/wallet/use", h.asRoot(), object("userId", h.alice.Id, "provider", "openai", "model", "gpt-4o-mini",
		"inputTokens", 1_234, "outputTokens", 567)).want(200)
	if got.number("usage.adjustedInputTokens") != 23 || got.number("usage.adjustedOutputTokens") != 41 || got.number("deducted") != 64 {
		t.Errorf("the example is charged %s", got.body)
	}
	charge, err := pricing.Quote(pricing.Usage{InText: 1_000, InCachedText: 9_000, OutText: 500},
		pricing.Rates{InText: 2_500_000, InCachedText: 1_250_000, OutText: 10_000_000}, 1_200_000, 10)
	if err != nil || charge != (pricing.Charge{In: 1650, Out: 600, Total: 2250}) {
		t.Errorf("the example is %+v (%v)", charge, err)
	}
}

func TestPercent(t *testing.T) {
	for sum, want := range map[pricebook.Sum]string{
		{Charged: 0, WouldBe: 5}:                                         "-",
		{Charged: 1000, WouldBe: 1234}:                                   "+23.4",
		{Charged: 3, WouldBe: 2}:                                         "-33.3",
		{Charged: 1_000_000_000_000_000, WouldBe: 9_000_000_000_000_000}: "+800.0",
	} {
		if got := percent(sum); got != want {
			t.Errorf("%+v is %s, want %s", sum, got, want)
		}
	}
}

func TestOldBooksAreNamed(t *testing.T) {
	h := newHouse(t)
	h.mustExecute("ALTER TABLE plans DROP COLUMN margin_ppm")
	_, err := priceCommand(t, "check", "--dir", h.app.DataDir())
	if err == nil || !strings.Contains(err.Error(), "start this version's server") {
		t.Errorf("got %v", err)
	}
}
