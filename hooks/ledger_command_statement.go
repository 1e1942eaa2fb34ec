package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/statement"
	"sokuji/internal/ledger/verify"
)

// statementCommand is what the command line says of a statement.
type statementCommand struct {
	source           booksSource
	isOrganization   bool
	from, to, format string
}

func newLedgerStatementCommand() *cobra.Command {
	var s statementCommand
	command := &cobra.Command{
		Use:   "statement USER",
		Short: "Prints what a wallet did in a period, as a document that proves itself",
		Long: "Prints what a wallet did in a period, as a document that proves itself.\n\n" +
			"USER is the id or the e-mail address of a user; with --organization, the id of an organization.",
		Example: "  sokuji ledger statement ada@example.com --from 2026-11-01 --to 2026-12-01 --format csv > ada.csv",
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return s.source.read(command, func(database *verify.Database) error {
				return s.run(command.Context(), database, args[0], command.OutOrStdout())
			})
		},
	}
	s.source.bind(command)
	flags := command.Flags()
	flags.BoolVar(&s.isOrganization, "organization", false, "USER is the id of an organization")
	flags.StringVar(&s.from, "from", "", "the period's beginning, a date or a time in UTC (default: that of the wallet)")
	flags.StringVar(&s.to, "to", "", "the first moment after the period, a date or a time in UTC (default: none)")
	flags.StringVar(&s.format, "format", string(statement.JSON), "json or csv")
	return command
}

func (s *statementCommand) run(ctx context.Context, database *verify.Database, who string, out io.Writer) error {
	format, err := statement.ParseFormat(s.format)
	if err != nil {
		return fmt.Errorf("--format: %w", err)
	}
	header, err := s.period()
	if err != nil {
		return err
	}
	if header.Subject, err = s.subject(ctx, database, who); err != nil {
		return err
	}
	err = verify.ReadHistory(ctx, database.DB, header.Subject, header.From, header.To, func(history verify.History) error {
		header.Opening = statement.Point(history.Opening)
		_, err := statement.Write(out, format, header, history.Entries())
		return err
	})
	if errors.Is(err, verify.ErrNoWallet) {
		return fmt.Errorf("there is no wallet of %s %q in these books", header.Subject.Type, header.Subject.ID)
	}
	return err
}

func (s *statementCommand) period() (header statement.Header, err error) {
	query := url.Values{"from": {s.from}, "to": {s.to}}
	if header.From, err = instant(query, "from"); err != nil {
		return header, fmt.Errorf("--from: %w", err)
	}
	if header.To, err = instant(query, "to"); err != nil {
		return header, fmt.Errorf("--to: %w", err)
	}
	if !header.To.IsZero() && header.To.Before(header.From) {
		return header, errors.New("--to lies before --from: a period ends after it begins")
	}
	return header, nil
}

func (s *statementCommand) subject(ctx context.Context, database *verify.Database, who string) (ledger.Subject, error) {
	if s.isOrganization {
		return ledger.Subject{Type: ledger.SubjectOrganization, ID: who}, nil
	}
	if !strings.Contains(who, "@") { // as no id does
		return ledger.UserSubject(who), nil
	}
	id, err := userIDByEmail(ctx, database, who)
	return ledger.UserSubject(id), err
}

func userIDByEmail(ctx context.Context, database *verify.Database, email string) (id string, err error) {
	rows, err := database.QueryContext(ctx, "SELECT id FROM "+usersCollection+" WHERE email = ? COLLATE NOCASE LIMIT 2", email)
	if err != nil {
		return "", fmt.Errorf("find the user: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	found := 0
	for ; rows.Next(); found++ {
		if err := rows.Scan(&id); err != nil {
			return "", fmt.Errorf("find the user: %w", err)
		}
	}
	switch {
	case rows.Err() != nil:
		return "", fmt.Errorf("find the user: %w", rows.Err())
	case found == 0:
		return "", fmt.Errorf("there is no user with the e-mail address %q", email)
	case found > 1:
		return "", fmt.Errorf("several users have the e-mail address %q: give an id", email)
	}
	return id, nil
}
