package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"sokuji/internal/ledger/statement"
	"sokuji/internal/ledger/verify"
)

// maxPrintedFindings is how many findings are printed one by one.
const maxPrintedFindings = 20

// verifyCommand is what the command line says of a verification.
type verifyCommand struct {
	source                booksSource
	checkpoint, statement string // files, may be empty
}

func newLedgerVerifyCommand() *cobra.Command {
	var v verifyCommand
	command := &cobra.Command{
		Use:   "verify",
		Short: "Proves the books, and names each row that was changed behind their back",
		Long: "Proves the books of a data directory, also that of a running server, or of a backup.\n" +
			"Prints each finding on a line of its own, and ends with 0 only if there is none.",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return v.run(command) },
	}
	v.source.bind(command)
	command.Flags().StringVar(&v.checkpoint, "checkpoint", "", "a checkpoint of these books: was a chain cut short or written anew since?")
	command.Flags().StringVar(&v.statement, "statement", "", "a statement: does it hold, and, with --dir or --backup, is it of these books?")
	return command
}

func (v *verifyCommand) run(command *cobra.Command) error {
	if v.isDocumentAlone(command) {
		return v.checkDocument(command.OutOrStdout())
	}
	options, err := v.options()
	if err != nil {
		return err
	}
	bar := newProgressBar()
	options.Progress = bar.show
	var report verify.Report
	err = v.source.read(command, func(database *verify.Database) error {
		// A document is small: what is wrong with it is told before a long reading.
		found, err := v.checkStatement(command.Context(), database)
		if err != nil {
			return err
		}
		report, err = verify.File(command.Context(), database.DB, options)
		report.Findings = append(found, report.Findings...)
		return err
	})
	bar.clear()
	switch {
	case errors.Is(err, verify.ErrChanged):
		return err // the findings may be those of two halves that do not belong together
	case err != nil:
		return errors.Join(printFindings(command.OutOrStdout(), &report), err)
	}
	return conclude(command.OutOrStdout(), &report)
}

// isDocumentAlone tells whether there are no books to hold the statement against.
func (v *verifyCommand) isDocumentAlone(command *cobra.Command) bool {
	return v.statement != "" && v.checkpoint == "" && v.source.backup == "" && !command.Flag("dir").Changed
}

// checkDocument holds a statement against itself.
func (v *verifyCommand) checkDocument(out io.Writer) error {
	report, err := v.readStatement()
	if err != nil {
		return err
	}
	if report.Bad != nil {
		return conclude(out, &verify.Report{Findings: []verify.Finding{v.bad(report)}})
	}
	_, err = fmt.Fprintf(out, "sound: the statement of %s %s: entries: %d, from seq %d to %d, closing balance: %d\n",
		report.Subject.Type, report.Subject.ID, report.Entries, report.Opening.Seq, report.Closing.Seq, report.Closing.Balance)
	return err
}

func (v *verifyCommand) readStatement() (report statement.Report, err error) {
	err = readDocument(v.statement, func(file io.Reader) (err error) {
		report, err = statement.Verify(file)
		return err
	})
	return report, err
}

func (v *verifyCommand) bad(report statement.Report) verify.Finding {
	return verify.Finding{Table: "statement", RowID: v.statement, Problem: report.Bad.String()}
}

func (v *verifyCommand) options() (verify.Options, error) {
	if v.checkpoint == "" {
		return verify.Options{}, nil
	}
	var checkpoint *verify.Checkpoint
	err := readDocument(v.checkpoint, func(file io.Reader) (err error) {
		checkpoint, err = verify.ParseCheckpoint(file)
		return err
	})
	return verify.Options{Checkpoint: checkpoint}, err
}

func readDocument(path string, read func(io.Reader) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := read(file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// checkStatement holds a statement against itself, and its ends against the books:
// the hashes at its ends cover all that lies before them.
func (v *verifyCommand) checkStatement(ctx context.Context, database *verify.Database) ([]verify.Finding, error) {
	if v.statement == "" {
		return nil, nil
	}
	report, err := v.readStatement()
	if err != nil {
		return nil, err
	}
	if report.Bad != nil {
		return []verify.Finding{v.bad(report)}, nil
	}
	var found []verify.Finding
	for _, end := range []struct {
		name  string
		point statement.Point
	}{{"opening", report.Opening}, {"closing", report.Closing}} {
		real, err := verify.PointAt(ctx, database.DB, report.Subject, end.point.Seq)
		if err != nil {
			return nil, err
		}
		if statement.Point(real) != end.point {
			found = append(found, verify.Finding{Table: "statement", RowID: v.statement, Problem: fmt.Sprintf(
				"its %s at seq %d of %s %s is not that of these books: it is of other books, or the chain was written anew since",
				end.name, end.point.Seq, report.Subject.Type, report.Subject.ID)})
		}
	}
	return found, nil
}

// conclude prints the findings, and makes the first one the command's error.
func conclude(out io.Writer, report *verify.Report) error {
	if err := printFindings(out, report); err != nil {
		return err
	}
	if !report.Sound() {
		return fmt.Errorf("the books do not balance: findings: %d, the first: %s", int64(len(report.Findings))+report.More, report.Findings[0])
	}
	_, err := fmt.Fprintf(out, "sound: wallets: %d, entries: %d, usage rows: %d, holds: %d, grants: %d, requests: %d\n",
		report.Wallets, report.Entries, report.Usage, report.Holds, report.Grants, report.Requests)
	return err
}

func printFindings(out io.Writer, report *verify.Report) error {
	printed := report.Findings[:min(len(report.Findings), maxPrintedFindings)]
	for _, finding := range printed {
		if _, err := fmt.Fprintln(out, finding); err != nil {
			return err
		}
	}
	if more := int64(len(report.Findings)-len(printed)) + report.More; more > 0 {
		_, err := fmt.Fprintf(out, "and %d more\n", more)
		return err
	}
	return nil
}
