package hooks

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/big"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sokuji/internal/ledger/verify"
	"sokuji/internal/pricebook"
	"sokuji/internal/readview"
)

// maxWhatIfDays bounds how far back usage is repriced, in days: ten years.
const maxWhatIfDays = 3_653

// priceWhatIfCommand is what the command line says of a repricing.
type priceWhatIfCommand struct {
	source booksSource
	days   int
}

func newPriceWhatIfCommand() *cobra.Command {
	var w priceWhatIfCommand
	command := &cobra.Command{
		Use:   "what-if FILE",
		Short: "Reprices recorded usage with another price book, and shows the difference",
		Long: "Reprices the newest recorded usage with the price book in FILE, as if all of it were in force, and shows\n" +
			"what that changes for each plan and in total. Nothing is written.\n\n" +
			"FILE is JSON or CSV with the columns of the collection prices. It may have the changed models only: uses of\n" +
			"others count as they were charged.",
		Example: "  sokuji price what-if candidate.csv --days 30",
		Args:    cobra.ExactArgs(1),
		RunE:    func(command *cobra.Command, args []string) error { return w.run(command, args[0]) },
	}
	w.source.bind(command)
	command.Flags().IntVar(&w.days, "days", observedDays, "how many days of usage to reprice")
	return command
}

func (w *priceWhatIfCommand) run(command *cobra.Command, path string) error {
	if w.days < 1 || w.days > maxWhatIfDays {
		return fmt.Errorf("--days must be a whole number from 1 to %d", maxWhatIfDays)
	}
	terms, err := priceTerms()
	if err != nil {
		return err
	}
	candidate, err := readPriceFile(path)
	if err != nil {
		return err
	}
	now := time.Now()
	whatIf := pricebook.NewWhatIf(candidate, terms, now)
	err = w.source.read(command, func(database *verify.Database) error {
		return w.addAll(command.Context(), database.DB, whatIf, now)
	})
	if err != nil {
		return err
	}
	return printWhatIf(command.OutOrStdout(), whatIf.Sums())
}

func (w *priceWhatIfCommand) addAll(ctx context.Context, db *sql.DB, whatIf *pricebook.WhatIf, now time.Time) error {
	return readview.View(ctx, db, func(tx *sql.Tx) error {
		return eachUse(ctx, tx, now.AddDate(0, 0, -w.days), whatIf.Add)
	})
}

func printWhatIf(out io.Writer, sums []pricebook.Sum) error {
	total, err := pricebook.Total(sums)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "PLAN\tUSES\tCHARGED\tWOULD BE\tDIFFERENCE\tPERCENT\t")
	for _, sum := range append(sums, total) {
		plan := sum.Plan
		if plan == "" {
			plan = "without a plan"
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%+d\t%s\t\n", plan, sum.Uses, sum.Charged, sum.WouldBe, sum.Difference(), percent(sum))
	}
	return errors.Join(table.Flush(), printUnchanged(out, total))
}

// printUnchanged says which uses count as they were charged.
func printUnchanged(out io.Writer, total pricebook.Sum) error {
	for _, line := range []struct {
		uses int64
		why  string
	}{
		{total.Unknown, "their model is not in the file"},
		{total.Unpriceable, "the file has no rate for what they were counted in"},
		{total.WithoutCounts, "they were charged by amount"},
	} {
		if line.uses == 0 {
			continue
		}
		if _, err := fmt.Fprintf(out, "uses that count as charged: %d, because %s\n", line.uses, line.why); err != nil {
			return err
		}
	}
	return nil
}

// percent is the difference in tenths of a percent, in whole numbers.
func percent(sum pricebook.Sum) string {
	if sum.Charged == 0 {
		return "-"
	}
	sign, difference := "+", sum.Difference()
	if difference < 0 {
		sign, difference = "-", -difference
	}
	tenths := new(big.Int).Mul(big.NewInt(difference), big.NewInt(1000))
	tenths.Quo(tenths, big.NewInt(sum.Charged))
	whole, tenth := new(big.Int).QuoRem(tenths, big.NewInt(10), new(big.Int))
	return fmt.Sprintf("%s%s.%s", sign, whole, tenth)
}
