package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

func writeReport(to io.Writer, chosen settings, measured results) error {
	var text strings.Builder
	fmt.Fprintf(&text, "\n%d cores for servers and load together, %s, %s/%s; %d ledger rows and %d wallets at the start, %g s a cell.\n",
		runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH,
		chosen.rows, chosen.wallets, chosen.seconds.Seconds())
	fmt.Fprintf(&text, "The API keys charge %d wallets. SQLite counts charges; its times are those of a transaction.\n\n", chosen.users)
	writeTable(&text, chosen, measured)
	text.WriteString("\n")
	writeRatios(&text, chosen, measured)
	_, err := io.WriteString(to, text.String())
	return err
}

func writeTable(text *strings.Builder, chosen settings, measured results) {
	fmt.Fprintf(text, "%-34s", "")
	for _, connections := range chosen.connections {
		fmt.Fprintf(text, " | %28s", counted(connections, "connection"))
	}
	fmt.Fprintf(text, "\n%-34s", "")
	for range chosen.connections {
		fmt.Fprintf(text, " | %8s %9s %9s", "req/s", "p50", "p99")
	}
	text.WriteString("\n")
	for _, name := range rows {
		fmt.Fprintf(text, "%-34s", name)
		for _, connections := range chosen.connections {
			writeCell(text, measured, place{name, connections})
		}
		text.WriteString("\n")
	}
}

func writeCell(text *strings.Builder, measured results, at place) {
	seen, ok := measured[at]
	if !ok {
		fmt.Fprintf(text, " | %28s", "")
		return
	}
	fmt.Fprintf(text, " | %8.0f %9s %9s", seen.perSecond, milliseconds(seen.p50), milliseconds(seen.p99))
}

func milliseconds(took time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(took)/float64(time.Millisecond))
}

func counted(number int, thing string) string {
	if number == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", number, thing)
}
