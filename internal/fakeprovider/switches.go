package fakeprovider

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Switches make the provider misbehave. They are written as name=value with commas
// between, such as "slow=50ms,cut=3", and given by, from the strongest on:
//
//   - the header X-Fake;
//   - a field of the request that providers only keep, with "fake:" before them:
//     user, metadata.user_id, metadata.fake, safety_identifier, or the prompt of a
//     transcription and the instructions of a speech;
//   - POST /fake/switches, for every call from then on.
type Switches struct {
	Wait       time.Duration // before the answer begins
	Slow       time.Duration // before each piece of it
	Status     int           // answer this error instead, before any output
	RetryAfter string        // with Status: the header of that name, in seconds
	Cut        int           // end the connection after so many pieces; off is -1
	Fail       int           // report an error after so many pieces; off is -1
	Hang       int           // say no more after so many pieces; off is -1
	Usage      string        // UsageMissing, UsageZero or UsageWrong
	NoDone     bool          // leave out the end of a stream: [DONE], message_stop
	Gzip       bool          // compress what is sent
	Close      bool          // close the connection after the answer
	Twice      bool          // of a realtime response: report its end twice

	Words                      int   // the length of the answer; the default is what it has to say
	In, Out                    int64 // the counts that are reported, whatever they are; off is -1
	Cached, Written, Reasoning int64 // parts of the counts: read from the cache, written to it, thought
	Times                      int   // for POST /fake/switches: only so many calls; 0 is no bound
}

// What Switches.Usage may be.
const (
	UsageMissing = "missing"
	UsageZero    = "zero"
	UsageWrong   = "wrong" // more is cached and thought than there was
)

// fieldPrefix marks switches in a field that has another purpose.
const fieldPrefix = "fake:"

// off is the value of a switch that counts, while nobody has set it.
const off = -1

func noSwitches() Switches {
	return Switches{Cut: off, Fail: off, Hang: off, In: off, Out: off}
}

// ParseSwitches reads the text form.
func ParseSwitches(text string) (Switches, error) {
	s := noSwitches()
	err := s.add(text)
	return s, err
}

func (s *Switches) add(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if name == "" {
			continue
		}
		if err := s.set(name, value); err != nil {
			return fmt.Errorf("switch %s: %w", name, err)
		}
	}
	return nil
}

func (s *Switches) set(name, value string) (err error) {
	durations := map[string]*time.Duration{"wait": &s.Wait, "slow": &s.Slow}
	numbers := map[string]*int{
		"status": &s.Status, "cut": &s.Cut, "fail": &s.Fail, "hang": &s.Hang, "words": &s.Words, "times": &s.Times,
	}
	counts := map[string]*int64{
		"in": &s.In, "out": &s.Out, "cached": &s.Cached, "written": &s.Written, "reasoning": &s.Reasoning,
	}
	flags := map[string]*bool{"nodone": &s.NoDone, "gzip": &s.Gzip, "close": &s.Close, "twice": &s.Twice}
	texts := map[string]*string{"usage": &s.Usage, "retry-after": &s.RetryAfter}
	if target := durations[name]; target != nil {
		*target, err = time.ParseDuration(value)
	} else if target := numbers[name]; target != nil {
		*target, err = parseCount[int](value)
	} else if target := counts[name]; target != nil {
		*target, err = parseCount[int64](value)
	} else if target := flags[name]; target != nil {
		*target = value == "" || value == "true"
	} else if target := texts[name]; target != nil {
		*target = value
	} else {
		err = fmt.Errorf("there is no such switch")
	}
	return err
}

// maxCount bounds the numbers of switches, so that a test which errs by some zeros
// fails instead of filling the memory.
const maxCount = 1_000_000_000_000

func parseCount[T int | int64](text string) (T, error) {
	count, err := strconv.ParseInt(text, 10, 64)
	if err == nil && (count < 0 || count > maxCount) {
		err = fmt.Errorf("%d is not from 0 to %d", count, int64(maxCount))
	}
	return T(count), err
}

// fieldsWithSwitches lists what a request may carry them in.
func (a *ask) fieldsWithSwitches() []string {
	return []string{a.User, a.SafetyIdentifier, a.Metadata.UserID, a.Metadata.Fake, a.Instructions, a.transcriptionPrompt}
}

// switchesOf gathers the switches that hold for a request.
func (p *provider) switchesOf(r *http.Request, a *ask) (Switches, error) {
	s := p.standing()
	for _, field := range a.fieldsWithSwitches() {
		if text, found := strings.CutPrefix(field, fieldPrefix); found {
			if err := s.add(text); err != nil {
				return s, err
			}
		}
	}
	return s, s.add(r.Header.Get("X-Fake"))
}
