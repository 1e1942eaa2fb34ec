package hooks

import (
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sokuji/internal/export"
	"sokuji/internal/ledger/verify"
)

// Where an export goes when nobody says it, in the current folder.
const (
	exportFile   = "sokuji-export.sql"
	exportFolder = "sokuji-export"
)

// exportCommand is what the command line says of an export.
type exportCommand struct {
	source      booksSource
	format, out string
}

// newExportCommand makes the command that writes everything, for somebody who
// leaves. It only reads, beside a running server, too.
func newExportCommand() *cobra.Command {
	var x exportCommand
	command := &cobra.Command{
		Use:   "export",
		Short: "Writes users, balances, the ledger and all logs as SQL or JSON lines",
		Long: `Writes what the database holds, as it is at one moment: as SQL text in the form of
"wrangler d1 export", with columns of ours behind those of the original backend,
which sqlite3 and "sokuji import d1" read; or as a folder with a file of JSON lines
for each table. It runs beside a server and changes nothing.

Hashes of passwords are in it, so that users can sign in elsewhere: keep it safe.
Session tokens, hashes of API keys and token keys are not.`,
		Example:      "  sokuji export --out backend.sql\n  sokuji export --format jsonl --out backend",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(command *cobra.Command, _ []string) error { return x.run(command) },
	}
	x.source.bind(command)
	command.Flags().StringVar(&x.format, "format", string(export.SQL), "sql or jsonl")
	command.Flags().StringVar(&x.out, "out", "", "the file, or for jsonl the folder, to make (default \""+exportFile+"\" or \""+exportFolder+"\")")
	return command
}

func (x *exportCommand) run(command *cobra.Command) error {
	options, err := x.options(command)
	if err != nil {
		return err
	}
	bar := newProgressBar()
	options.Progress = bar.show
	var report export.Report
	err = x.source.read(command, func(database *verify.Database) (err error) {
		defer bar.clear()
		options.DB, options.Check = database.DB, database.Unchanged
		report, err = export.Run(command.Context(), options)
		return err
	})
	if err != nil {
		return err
	}
	return printExport(command.OutOrStdout(), options.Path, report)
}

func (x *exportCommand) options(command *cobra.Command) (options export.Options, err error) {
	if options.Format, err = export.ParseFormat(x.format); err != nil {
		return options, fmt.Errorf("--format: %w", err)
	}
	switch {
	case x.out != "":
		options.Path = filepath.Clean(x.out)
	case options.Format == export.JSONL:
		options.Path = exportFolder
	default:
		options.Path = exportFile
	}
	if x.source.backup != "" {
		return options, nil
	}
	folder, err := command.Flags().GetString("dir")
	options.ArchiveFolder = filepath.Join(folder, archiveFolder)
	return options, err
}

func printExport(out io.Writer, path string, report export.Report) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "table\trows")
	for _, t := range report.Tables {
		fmt.Fprintf(table, "%s\t%d\n", t.Table, t.Rows)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, archive := range report.Unread {
		fmt.Fprintf(out, "not in it: the old usage rows of %s\n", archive)
	}
	_, err := fmt.Fprintf(out, "written to %s; password hashes are in it\n", path)
	return err
}
