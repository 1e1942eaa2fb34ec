package hooks

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// superuserMarkFile grows by a byte with each change that a command made.
const superuserMarkFile = "sokuji.superusers"

// superuserMark is a file in the data folder by which a command tells a server
// beside it that it changed superusers.
type superuserMark string

func newSuperuserMark(app core.App) superuserMark {
	return superuserMark(filepath.Join(app.DataDir(), superuserMarkFile))
}

// markState differs after every change. The size tells apart what comes within
// one tick of the file system's clock.
type markState struct {
	size     int64
	modified time.Time
}

// state is empty where no command ever left a mark.
func (m superuserMark) state() (markState, error) {
	file, err := os.Stat(string(m))
	if errors.Is(err, fs.ErrNotExist) {
		return markState{}, nil
	}
	if err != nil {
		return markState{}, err
	}
	return markState{size: file.Size(), modified: file.ModTime()}, nil
}

func (m superuserMark) leave() (err error) {
	file, err := os.OpenFile(string(m), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = file.Write([]byte{'.'})
	return err
}

// bindSuperuserMark lets the superuser command leave a mark after each change, and
// before it says that it is done.
func bindSuperuserMark(app core.App, chosen, superusers *cobra.Command) {
	if chosen != superusers && chosen.Parent() != superusers {
		return
	}
	leave := func(e *core.RecordEvent) error {
		if err := newSuperuserMark(app).leave(); err != nil {
			return err
		}
		return e.Next()
	}
	app.OnRecordAfterCreateSuccess(core.CollectionNameSuperusers).BindFunc(leave)
	app.OnRecordAfterUpdateSuccess(core.CollectionNameSuperusers).BindFunc(leave)
	app.OnRecordAfterDeleteSuccess(core.CollectionNameSuperusers).BindFunc(leave)
}
