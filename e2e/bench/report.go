package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

func writeReport(to io.Writer, chosen settings, measured results, found []finding) error {
	var text strings.Builder
	fmt.Fprintf(&text, "\n%d cores for servers and load together, %s, %s/%s, load average %s; %d ledger rows and %d wallets at the start, %g s a cell.\n",
		runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, loadAverage(),
		chosen.rows, chosen.wallets, chosen.seconds.Seconds())
	fmt.Fprintf(&text, "The API keys charge %d wallets. SQLite counts charges; its times are those of a transaction. cpu is the server's own for one thing done.\n\n", chosen.users)
	if len(measured) > 0 {
		writeTable(&text, chosen, measured)
		text.WriteString("\n")
	}
	writeFindings(&text, append(findingsOf(measured), found...))
	_, err := io.WriteString(to, text.String())
	return err
}

// loadAverage tells whether somebody else was using the machine.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	minute, _, _ := strings.Cut(string(text), " ")
	return minute
}

func writeTable(text *strings.Builder, chosen settings, measured results) {
	fmt.Fprintf(text, "%-34s", "")
	for _, connections := range chosen.connections {
		fmt.Fprintf(text, " | %36s", counted(connections, "connection"))
	}
	fmt.Fprintf(text, "\n%-34s", "")
	for range chosen.connections {
		fmt.Fprintf(text, " | %7s %9s %10s %7s", "per s", "p50", "p99", "cpu")
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
		fmt.Fprintf(text, " | %36s", "")
		return
	}
	cpu := ""
	if seen.cpu > 0 {
		cpu = fmt.Sprintf("%d µs", seen.cpu.Microseconds())
	}
	fmt.Fprintf(text, " | %7.0f %9s %10s %7s", seen.perSecond, milliseconds(seen.p50), milliseconds(seen.p99), cpu)
}

func milliseconds(took time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(took)/float64(time.Millisecond))
}

func megabytes(bytes int64) string {
	return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
}

func counted(number int, thing string) string {
	if number == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", number, thing)
}

func microseconds(took time.Duration) string {
	return fmt.Sprintf("%.1f µs", float64(took)/float64(time.Microsecond))
}
