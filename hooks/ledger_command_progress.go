package hooks

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	// progressDelay is how long work goes on in silence.
	progressDelay = time.Second
	// progressInterval is how often the bar is drawn.
	progressInterval = 200 * time.Millisecond
	// progressWidth is how long the bar is, in characters.
	progressWidth = 40
)

// progressBar shows people how far a long reading is.
type progressBar struct {
	w       io.Writer // nil: nobody looks
	now     func() time.Time
	next    time.Time // when it may be drawn again
	visible bool
}

// newProgressBar draws on standard error when that is a terminal.
func newProgressBar() *progressBar {
	bar := &progressBar{now: time.Now, next: time.Now().Add(progressDelay)}
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		bar.w = os.Stderr
	}
	return bar
}

// show draws how many rows are done, when it is time for that.
func (b *progressBar) show(done, total int64) {
	if b.w == nil || total <= 0 || b.now().Before(b.next) {
		return
	}
	b.next = b.now().Add(progressInterval)
	b.visible = true
	share := min(1, float64(done)/float64(total))
	full := int(share * progressWidth)
	fmt.Fprintf(b.w, "\r[%s%s] %3.0f %%", strings.Repeat("#", full), strings.Repeat(".", progressWidth-full), share*100)
}

// clear removes the bar.
func (b *progressBar) clear() {
	if b.visible {
		fmt.Fprint(b.w, "\r\x1b[K")
		b.visible = false
	}
}
