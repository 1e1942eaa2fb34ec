package usagearchive

// Small makes a run small enough that a few rows take all of its steps.
func (a *Archiver) Small(maxRows, pageRows, removeRows int) {
	a.maxRows, a.pageRows, a.removeRows, a.pause = maxRows, pageRows, removeRows, 0
}

// StopAt lets a test end a run after any step.
func (a *Archiver) StopAt(reached func(step string) error) { a.reached = reached }

var FileName = fileName
