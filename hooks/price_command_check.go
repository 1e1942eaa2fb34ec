package hooks

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sokuji/internal/ledger/verify"
	"sokuji/internal/pricebook"
	"sokuji/internal/pricing"
	"sokuji/internal/readview"
)

// observedDays is how far back a check looks for what was used.
const observedDays = 30

// priceCheckCommand is what the command line says of a check.
type priceCheckCommand struct {
	source booksSource
	plan   string
}

func newPriceCheckCommand() *cobra.Command {
	var c priceCheckCommand
	command := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Prints each model's price in USD and in tokens, and what is odd about the book",
		Long: "Prints each model's price in USD and in tokens per million, and what is odd about the book.\n" +
			"Ends with 0 only if there is no problem.\n\n" +
			"Without FILE it is the book of the data directory, also that of a running server, held against the last\n" +
			"30 days' usage. FILE is a book in JSON or CSV with the columns of the collection prices.",
		Example: "  sokuji price check --plan pro_plan\n  sokuji price check candidate.csv",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(command *cobra.Command, args []string) error { return c.run(command, args) },
	}
	c.source.bind(command)
	command.Flags().StringVar(&c.plan, "plan", "", "a plan, such as pro_plan, whose own margin counts")
	return command
}

func (c *priceCheckCommand) run(command *cobra.Command, args []string) error {
	terms, err := priceTerms()
	if err != nil {
		return err
	}
	if len(args) == 1 {
		if c.plan != "" {
			return fmt.Errorf("--plan and FILE exclude each other: a file knows no plans")
		}
		prices, err := readPriceFile(args[0])
		if err != nil {
			return err
		}
		return reportPrices(command.OutOrStdout(), prices, nil, terms, 0, time.Now())
	}
	return c.source.read(command, func(database *verify.Database) error {
		return readview.View(command.Context(), database.DB, func(tx *sql.Tx) error {
			return c.runOn(command.Context(), tx, command.OutOrStdout(), terms)
		})
	})
}

func (c *priceCheckCommand) runOn(ctx context.Context, tx *sql.Tx, out io.Writer, terms pricebook.Terms) error {
	prices, err := priceRows(ctx, tx)
	if err != nil {
		return err
	}
	var margin int64
	if c.plan != "" {
		if margin, err = planMargin(ctx, tx, c.plan); err != nil {
			return err
		}
	}
	now := time.Now()
	observed, err := observedUsage(ctx, tx, now.AddDate(0, 0, -observedDays))
	if err != nil {
		return err
	}
	return reportPrices(out, prices, observed, terms, margin, now)
}

// observedUsage is what each model was counted in.
func observedUsage(ctx context.Context, tx *sql.Tx, since time.Time) ([]pricebook.Observed, error) {
	type key struct{ provider, model string }
	places := map[key]int{}
	var observed []pricebook.Observed
	err := eachUse(ctx, tx, since, func(use pricebook.Used) error {
		if use.Provider == "" && use.Model == "" {
			return nil // by amount alone
		}
		which := key{strings.ToLower(use.Provider), use.Model}
		i, known := places[which]
		if !known {
			i = len(observed)
			places[which] = i
			observed = append(observed, pricebook.Observed{Provider: use.Provider, Model: use.Model})
		}
		observed[i].Usage = pricing.Union(observed[i].Usage, use.Usage)
		observed[i].Calls++
		return nil
	})
	return observed, err
}

// reportPrices prints a book and its findings, and makes the first problem the
// command's error.
func reportPrices(out io.Writer, prices []pricing.Price, observed []pricebook.Observed, terms pricebook.Terms, planMarginPPM int64, now time.Time) error {
	if err := printPrices(out, prices, terms, planMarginPPM); err != nil {
		return err
	}
	findings := pricebook.Check(prices, observed, now)
	problems := 0
	for _, finding := range findings {
		if finding.Severity == pricebook.Problem {
			problems++
		}
		if _, err := fmt.Fprintln(out, finding); err != nil {
			return err
		}
	}
	if problems > 0 {
		return fmt.Errorf("the price book has problems: %d, the first: %s", problems, findings[0])
	}
	_, err := fmt.Fprintf(out, "sound: prices: %d, notes: %d\n", len(prices), len(findings))
	return err
}

// printPrices prints a line for each rate.
func printPrices(out io.Writer, prices []pricing.Price, terms pricebook.Terms, planMarginPPM int64) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PROVIDER\tMODEL\tFROM\tMARGIN\tCLASS\tUSD PER MILLION\tTOKENS PER MILLION")
	for _, price := range prices {
		provider, model, _ := strings.Cut(pricebook.Name(price), " ")
		margin := price.EffectiveMarginPPM(planMarginPPM, terms.MarginPPM)
		from := "-"
		if !price.EffectiveFrom.IsZero() {
			from = price.EffectiveFrom.UTC().Format(time.DateOnly)
		}
		for _, class := range pricing.Classes() {
			rate := price.Rates.Of(class)
			if rate == 0 {
				continue
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", provider, model, from,
				millionths(margin), class, millionths(rate), tokensPerMillion(class, price.Rates, margin, terms))
		}
	}
	return table.Flush()
}

// perMillion is how many units the printed prices are for.
const perMillion = 1_000_000

// tokensPerMillion is what a million units of a class cost, or why that cannot be
// said.
func tokensPerMillion(class pricing.Class, rates pricing.Rates, marginPPM int64, terms pricebook.Terms) string {
	charge, err := pricing.Quote(pricing.UsageOf(class, perMillion), rates, marginPPM, terms.TokenValueMicroUSD)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(charge.Total)
}

// millionths writes a number of millionths as a decimal, such as 2500000 as 2.5.
func millionths(value int64) string {
	if value < 0 || value > math.MaxInt64/2 {
		return fmt.Sprint(value)
	}
	whole, fraction := value/perMillion, value%perMillion
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%06d", whole, fraction), "0"), ".")
}
