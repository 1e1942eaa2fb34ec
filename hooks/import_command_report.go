package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"sokuji/internal/d1import"
)

// reportMode keeps a report, which names users by their ids, to its owner.
const reportMode = 0o600

func (i *d1Import) writeReport(report *d1import.Report) error {
	if i.report == "" {
		return nil
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(i.report, append(text, '\n'), reportMode)
}

// printImport prints the rows of each table, and then why some are not what they
// were.
func printImport(out io.Writer, report *d1import.Report, isComplete bool) error {
	p := &reportPrinter{out: tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)}
	p.line("table\tread\timported\talready there\tskipped\tmade\t")
	for _, t := range report.Tables {
		if t.Missing {
			p.line("%s\t-\t-\t-\t-\t%d\t", t.Table, t.Made)
			continue
		}
		p.line("%s\t%d\t%d\t%d\t%d\t%d\t", t.Table, t.Read, t.Imported, t.AlreadyThere, t.Skipped, t.Made)
	}
	p.flush()
	p.out = tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	for _, t := range report.Tables {
		p.table(t)
	}
	for _, t := range report.Other {
		p.line("\n%s: not a table of the backend, not imported (rows: %d)", t.Table, t.Rows)
	}
	if len(report.Problems) > 0 {
		p.line("\nstatements that could not be read, with what they hold:")
		p.reasons("", report.Problems)
	}
	p.line("")
	switch {
	case !isComplete:
		p.line("The import is not complete: run it again, and it goes on.")
	case report.DryRun:
		p.line("Dry run, nothing was written. Rows that would be imported: %d.", report.Imported())
	default:
		p.line("Done. Rows imported: %d. Run `sokuji ledger verify` to prove the books.", report.Imported())
	}
	p.flush()
	return p.err
}

// reportPrinter keeps the first error.
type reportPrinter struct {
	out *tabwriter.Writer
	err error
}

func (p *reportPrinter) line(format string, arguments ...any) {
	for n, argument := range arguments {
		if text, ok := argument.(string); ok {
			arguments[n] = printable(text)
		}
	}
	_, err := fmt.Fprintf(p.out, format+"\n", arguments...)
	p.err = errors.Join(p.err, err)
}

func (p *reportPrinter) flush() { p.err = errors.Join(p.err, p.out.Flush()) }

func (p *reportPrinter) table(t *d1import.TableReport) {
	isSilent := !t.Missing && len(t.Why) == 0 && len(t.Notes) == 0 && len(t.MissingColumns) == 0 && len(t.UnknownColumns) == 0
	if isSilent {
		return
	}
	p.line("\n%s:", t.Table)
	if t.Missing {
		p.line("  the dump has no such table")
		return
	}
	if len(t.MissingColumns) > 0 {
		p.line("  the dump, of an older schema, has no column %s", strings.Join(t.MissingColumns, ", "))
	}
	if len(t.UnknownColumns) > 0 {
		p.line("  columns that are not imported: %s", strings.Join(t.UnknownColumns, ", "))
	}
	p.reasons("skipped: ", t.Why)
	p.reasons("note: ", t.Notes)
}

func (p *reportPrinter) reasons(label string, reasons []d1import.Reason) {
	for _, reason := range reasons {
		p.line("  %s%s (rows: %d)", label, reason.Text, reason.Count)
		p.line("    %s", strings.Join(reason.Examples, ", "))
	}
}

// printable keeps what a dump says from moving the terminal's cursor.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return '?'
		}
		return r
	}, text)
}
