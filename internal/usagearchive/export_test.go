package usagearchive

// Small makes a run small enough that a few rows take all of its steps.
func (a *Archiver) Small(maxRows, pageRows, removeRows int) {
	a.maxRows, a.pageRows, a.lookRows, a.removeRows, a.pause = maxRows, pageRows, pageRows, removeRows, 0
}

// LookAt bounds the rows that one run looks at.
func (a *Archiver) LookAt(rows int64) { a.maxLooked = rows }

// StopAt lets a test end a run after any step.
func (a *Archiver) StopAt(reached func(step string) error) { a.reached = reached }

var FileName = fileName
