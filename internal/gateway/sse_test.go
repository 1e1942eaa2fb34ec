package gateway

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

type seenEvent struct{ raw, name, data string }

func readEvents(t testing.TB, body io.Reader) (events []seenEvent, err error) {
	t.Helper()
	reader := NewEventReader(body)
	for {
		event, err := reader.Next()
		if err != nil {
			return events, err
		}
		events = append(events, seenEvent{string(event.Raw), event.Name, string(event.Data)})
	}
}

func TestEventReader(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []seenEvent
	}{
		"one":            {"data: a\n\n", []seenEvent{{"data: a\n\n", "", "a"}}},
		"two":            {"data: a\n\ndata: b\n\n", []seenEvent{{"data: a\n\n", "", "a"}, {"data: b\n\n", "", "b"}}},
		"named":          {"event: x\ndata: a\n\n", []seenEvent{{"event: x\ndata: a\n\n", "x", "a"}}},
		"without space":  {"data:a\n\n", []seenEvent{{"data:a\n\n", "", "a"}}},
		"carriage":       {"data: a\r\n\r\n", []seenEvent{{"data: a\r\n\r\n", "", "a"}}},
		"several lines":  {"data: a\ndata: b\n\n", []seenEvent{{"data: a\ndata: b\n\n", "", "a\nb"}}},
		"comment":        {": ping\n\ndata: a\n\n", []seenEvent{{": ping\n\n", "", ""}, {"data: a\n\n", "", "a"}}},
		"empty lines":    {"\n\n\ndata: a\n\n\n\n", []seenEvent{{"data: a\n\n", "", "a"}}},
		"no last line":   {"data: a\n", []seenEvent{{"data: a\n\n", "", "a"}}},
		"cut":            {"data: a\n\ndata: b", []seenEvent{{"data: a\n\n", "", "a"}}},
		"nothing":        {"", nil},
		"other fields":   {"id: 1\nretry: 5\ndata: a\n\n", []seenEvent{{"id: 1\nretry: 5\ndata: a\n\n", "", "a"}}},
		"colons in data": {"data: {\"a\":\"b: c\"}\n\n", []seenEvent{{"data: {\"a\":\"b: c\"}\n\n", "", `{"a":"b: c"}`}}},
		"long line":      {"data: " + strings.Repeat("x", 100_000) + "\n\n", []seenEvent{{"data: " + strings.Repeat("x", 100_000) + "\n\n", "", strings.Repeat("x", 100_000)}}},
	} {
		for how, body := range map[string]io.Reader{
			"at once": strings.NewReader(c.body), "by bytes": iotest.OneByteReader(strings.NewReader(c.body)),
		} {
			got, err := readEvents(t, body)
			if !errors.Is(err, io.EOF) || !slices.Equal(got, c.want) {
				t.Errorf("%s, %s: %q, %v, want %q", name, how, got, err, c.want)
			}
		}
	}
}

// The reader gives an event when its last line is there, and waits for no more.
func TestTheReaderDoesNotWait(t *testing.T) {
	pipe, feed := io.Pipe()
	reader := NewEventReader(pipe)
	go feed.Write([]byte("data: a\n\n"))
	if event, err := reader.Next(); err != nil || string(event.Data) != "a" {
		t.Errorf("%q, %v", event.Data, err)
	}
}

func TestTheReaderPassesErrorsOn(t *testing.T) {
	cut := errors.New("cut")
	got, err := readEvents(t, io.MultiReader(strings.NewReader("data: a\n\ndata: b\n"), iotest.ErrReader(cut)))
	if !errors.Is(err, cut) || len(got) != 1 {
		t.Errorf("%q, %v", got, err)
	}
}

// endless is an event that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestAnEventIsBounded(t *testing.T) {
	if _, err := NewEventReader(endless{}).Next(); !errors.Is(err, ErrEventTooLarge) {
		t.Errorf("%v", err)
	}
}

func TestAppendEvent(t *testing.T) {
	for want, event := range map[string]seenEvent{
		"data: a\n\n":                   {data: "a"},
		"event: x\ndata: a\n\n":         {name: "x", data: "a"},
		"data: a\ndata: b\n\n":          {data: "a\nb"},
		"event: x\ndata: {\"a\":1}\n\n": {name: "x", data: `{"a":1}`},
	} {
		if got := string(AppendEvent(nil, event.name, []byte(event.data))); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What is written is read back, and what is read is never more than what came.
func FuzzEventReader(f *testing.F) {
	for _, seed := range []string{"data: a\n\n", "event: x\r\ndata: a\r\n\r\n", ":\n\n", "data", "\n\ndata:\n\n", "data: a\ndata: b\n\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		reader, total := NewEventReader(bytes.NewReader(body)), 0
		for {
			event, err := reader.Next()
			if err != nil {
				break
			}
			total += len(event.Raw)
			if event.Data == nil || bytes.ContainsRune(event.Data, '\r') {
				continue
			}
			again, err := NewEventReader(bytes.NewReader(AppendEvent(nil, event.Name, event.Data))).Next()
			if err != nil || !bytes.Equal(again.Data, event.Data) || again.Name != event.Name && !strings.ContainsAny(event.Name, "\r") {
				t.Fatalf("%q is read back as %q, %v", event.Data, again.Data, err)
			}
		}
		if total > len(body)+1 {
			t.Fatalf("%d bytes were read of %d", total, len(body))
		}
	})
}
