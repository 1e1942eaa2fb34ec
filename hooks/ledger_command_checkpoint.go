package hooks

import (
	"time"

	"github.com/spf13/cobra"

	"sokuji/internal/ledger/verify"
)

func newLedgerCheckpointCommand() *cobra.Command {
	var source booksSource
	command := &cobra.Command{
		Use:   "checkpoint",
		Short: "Prints where each wallet's chain ends now, to be kept elsewhere",
		Example: "  sokuji ledger checkpoint > books-$(date +%F).checkpoint\n" +
			"  sokuji ledger verify --checkpoint books-2026-11-24.checkpoint",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return source.read(command, func(database *verify.Database) error {
				return verify.WriteCheckpoint(command.Context(), database.DB, time.Now(), command.OutOrStdout())
			})
		},
	}
	source.bind(command)
	return command
}
