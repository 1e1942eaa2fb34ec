package usagearchive

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	filePermissions   = 0o600 // usage says who did what when
	folderPermissions = 0o700

	// unfinishedFile has no name of its own before it is complete: what a crash
	// leaves is overwritten by the next run.
	unfinishedFile = "usage.jsonl.gz"
)

// write puts old rows after a position into a file with its final name, and
// returns its manifest and the position it came to, 0 at the end. No old rows make
// no file.
func (a *Archiver) write(ctx context.Context, cutoff time.Time, position int64) (archive Archive, last int64, err error) {
	page, err := a.nextOld(ctx, cutoff, position, a.pageRows)
	if err != nil || len(page.Rows) == 0 {
		return Archive{}, page.Last, err
	}
	temporary := filepath.Join(a.folder, UnfinishedFolder, unfinishedFile)
	file, err := createFile(temporary)
	if err != nil {
		return Archive{}, position, err
	}
	defer func() { err = errors.Join(err, file.discard()) }()

	archive = Archive{Cutoff: cutoff}
	if last, err = a.fill(ctx, file, &archive, page); err != nil {
		return Archive{}, position, err
	}
	if archive.SHA256, err = file.finish(); err != nil {
		return Archive{}, position, fmt.Errorf("write %s: %w", temporary, err)
	}
	if err := a.reached("written"); err != nil {
		return Archive{}, position, err
	}
	if archive.File, err = a.freeName(ctx, archive.FirstID); err != nil {
		return Archive{}, position, err
	}
	// A file of this name without a manifest is from a run that stopped here.
	if err := os.Rename(temporary, filepath.Join(a.folder, archive.File)); err != nil {
		return Archive{}, position, err
	}
	if err := a.reached("renamed"); err != nil {
		return Archive{}, position, err
	}
	if err := syncFolder(a.folder); err != nil {
		return Archive{}, position, err
	}
	archive.CreatedAt = a.now()
	return archive, last, a.reached("file")
}

// nextOld passes over rows that are not old, as far as one run may look. Behind the
// last row the position is 0 again.
func (a *Archiver) nextOld(ctx context.Context, cutoff time.Time, position int64, limit int) (Page, error) {
	for {
		page, err := a.store.OldUsage(ctx, cutoff, position, a.lookRows, limit)
		if err != nil {
			return Page{}, err
		}
		a.looked += page.Looked
		if page.IsEnd {
			page.Last = 0
		}
		if len(page.Rows) > 0 || page.IsEnd || a.looked >= a.maxLooked {
			return page, nil
		}
		position = page.Last
		if err := wait(ctx, a.pause); err != nil {
			return Page{}, err
		}
	}
}

// fill writes page after page, until there is no old row or the file is full.
func (a *Archiver) fill(ctx context.Context, file *gzipFile, archive *Archive, page Page) (last int64, err error) {
	for len(page.Rows) > 0 {
		for _, row := range page.Rows {
			if err := file.line(row.JSON); err != nil {
				return 0, fmt.Errorf("write usage row %s: %w", row.ID, err)
			}
			if archive.Rows == 0 {
				archive.FirstID = row.ID
			}
			archive.LastID = row.ID
			archive.Rows++
			archive.Tokens += row.Tokens
		}
		last = page.Last
		room := a.maxRows - int(archive.Rows)
		if room <= 0 || page.IsEnd {
			return last, nil
		}
		if page, err = a.nextOld(ctx, archive.Cutoff, last, min(a.pageRows, room)); err != nil {
			return 0, err
		}
	}
	return page.Last, nil
}

func (a *Archiver) prepareFolder() error {
	unfinished := filepath.Join(a.folder, UnfinishedFolder)
	if err := os.MkdirAll(unfinished, folderPermissions); err != nil {
		return err
	}
	// The name of a new folder is not on disk before the folder above is.
	return errors.Join(syncFolder(a.folder), syncFolder(filepath.Dir(a.folder)))
}

// gzipFile is a compressed file that knows the hash of what lies on disk.
type gzipFile struct {
	file    *os.File
	sum     func() string
	zip     *gzip.Writer
	isEnded bool
}

func createFile(path string) (*gzipFile, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, filePermissions)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	return &gzipFile{
		file: file, zip: gzip.NewWriter(io.MultiWriter(file, hash)),
		sum: func() string { return hex.EncodeToString(hash.Sum(nil)) },
	}, nil
}

func (f *gzipFile) line(text []byte) error {
	if _, err := f.zip.Write(text); err != nil {
		return err
	}
	_, err := f.zip.Write([]byte{'\n'})
	return err
}

// finish brings the file to the disk and returns its hash.
func (f *gzipFile) finish() (string, error) {
	f.isEnded = true
	if err := errors.Join(f.zip.Close(), f.file.Sync(), f.file.Close()); err != nil {
		return "", err
	}
	return f.sum(), nil
}

// discard closes and removes a file that was not finished; the next run would
// overwrite it, but its space may be what is missing.
func (f *gzipFile) discard() error {
	if f.isEnded {
		return nil
	}
	return errors.Join(f.file.Close(), os.Remove(f.file.Name()))
}
