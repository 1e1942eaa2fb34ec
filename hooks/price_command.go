package hooks

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"sokuji/internal/config"
	"sokuji/internal/pricebook"
	"sokuji/internal/pricing"
)

// newPriceCommand makes the commands that look at the price book, of a running
// server, of a stopped one or of a backup. None of them writes.
func newPriceCommand() *cobra.Command {
	command := &cobra.Command{
		Use:          "price",
		Short:        "Checks the price book, and says what another one would have charged",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(newPriceCheckCommand(), newPriceWhatIfCommand())
	for _, child := range command.Commands() {
		child.SilenceUsage = true
	}
	return command
}

// priceTerms are what the server's own settings add to each price.
func priceTerms() (pricebook.Terms, error) {
	settings, err := config.Load(os.Getenv)
	return pricebook.Terms{MarginPPM: settings.MarginPPM, TokenValueMicroUSD: settings.TokenValueMicroUSD}, err
}

// readPriceFile reads a price book from a file.
func readPriceFile(path string) (prices []pricing.Price, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	prices, err = pricebook.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return prices, nil
}
