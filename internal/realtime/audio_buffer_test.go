package realtime

import (
	"fmt"
	"strings"
	"testing"
)

// TestHowLongAPieceOfAudioIs plays what a client asks for and what a provider says, in
// seconds. The length of each piece that becomes an item follows "committed".
func TestHowLongAPieceOfAudioIs(t *testing.T) {
	tests := map[string]struct{ story, pieces string }{
		"a piece":                                   {"append 2, commit, committed", "2"},
		"two pieces":                                {"append 2, commit, committed, append 3, commit, committed", "2 3"},
		"what is appended after the commit":         {"append 2, commit, append 5, committed, commit, committed", "2 5"},
		"two commits under way":                     {"append 2, commit, append 3, commit, committed, committed", "2 3"},
		"nothing to commit":                         {"commit, append 2, refused, append 3, commit, committed", "5"},
		"too little to commit":                      {"append 1, commit, append 2, refused, commit, append 5, committed", "3"},
		"cleared":                                   {"append 9, clear, cleared, append 2, commit, committed", "2"},
		"what is appended after the clearing":       {"append 9, clear, append 2, cleared, commit, committed", "2"},
		"committed before it is cleared":            {"append 9, clear, append 2, committed, cleared, commit, committed", "9 2"},
		"cleared twice":                             {"append 9, clear, append 1, clear, cleared, append 2, cleared, commit, committed", "2"},
		"cleared by nobody":                         {"append 2, cleared, commit, committed", "2"},
		"a clearing that is never answered":         {"append 9, clear, append 2, commit, committed, append 1, commit, committed", "9 2"},
		"a speaker":                                 {"append 9, started 4, append 3, stopped 10, append 5, committed", "6"},
		"two speakers":                              {"append 9, started 4, append 3, stopped 10, committed, append 9, started 15, stopped 18, committed", "6 3"},
		"a speaker who is committed by the client":  {"append 9, started 4, commit, append 3, committed", "5"},
		"what the provider says is before the item": {"append 2, committed, append 5, started 0, stopped 1, committed", "2 0"},
		"what the provider says was never appended": {"append 2, started 1, stopped 99, committed", "1"},
		"a provider that says nothing else":         {"append 2, append 3, committed", "5"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			const second = 1_000 * audioBytesPerMillisecond
			var buffer audioBuffer
			var pieces []string
			for step := range strings.SplitSeq(test.story, ", ") {
				var what string
				var seconds int64
				fmt.Sscan(step, &what, &seconds)
				switch what {
				case "append":
					buffer.write(seconds * second)
				case "commit", "clear":
					buffer.ask(what == "clear")
				case "refused":
					buffer.answered()
				case "cleared":
					buffer.clear()
				case "started":
					buffer.speechStarted(seconds * 1_000)
				case "stopped":
					buffer.speechStopped(seconds * 1_000)
				case "committed":
					pieces = append(pieces, fmt.Sprint(buffer.commit()/second))
				}
				if open := buffer.inBuffer(); open < 0 || open > buffer.written {
					t.Fatalf("after %q %d bytes are in the buffer", step, open)
				}
			}
			if got := strings.Join(pieces, " "); got != test.pieces {
				t.Errorf("the pieces are %s seconds long, want %s", got, test.pieces)
			}
		})
	}
}

func TestMarksAreBounded(t *testing.T) {
	var buffer audioBuffer
	for range maxMarks + 5 {
		buffer.write(1)
		buffer.ask(false)
	}
	if len(buffer.marks) != maxMarks {
		t.Errorf("%d marks are remembered", len(buffer.marks))
	}
	if first := buffer.commit(); first != 6 { // what is not known any more belongs to it
		t.Errorf("the first piece is %d bytes long", first)
	}
}
