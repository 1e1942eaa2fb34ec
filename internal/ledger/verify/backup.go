package verify

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// databaseName is the file in a data folder, and in a backup of one, that holds
// the books.
const databaseName = "data.db"

const zipHeader = "PK\x03\x04"

// OpenBackup opens a backup: a zip by PocketBase, of which the database is
// unpacked to a temporary folder until Close, or a bare data.db.
func OpenBackup(ctx context.Context, path string) (*Database, error) {
	header, err := readHeader(path)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(header, []byte(zipHeader)) {
		return OpenReadOnly(path)
	}
	folder, err := os.MkdirTemp("", "sokuji_verify_*")
	if err != nil {
		return nil, err
	}
	database, err := openUnpacked(ctx, path, folder)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), os.RemoveAll(folder))
	}
	return database, nil
}

func openUnpacked(ctx context.Context, path, folder string) (*Database, error) {
	if err := unpack(ctx, path, folder); err != nil {
		return nil, err
	}
	if err := checkHeader(filepath.Join(folder, databaseName)); err != nil {
		return nil, err
	}
	return openOwn(folder)
}

// unpack takes the database out of a zip, with its WAL if that is there. The
// names are ours, so that no path in a zip matters.
func unpack(ctx context.Context, path, folder string) (err error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	found := false
	for _, file := range archive.File {
		if file.Name != databaseName && file.Name != databaseName+walSuffix {
			continue
		}
		if err := unpackFile(ctx, file, filepath.Join(folder, filepath.Base(file.Name))); err != nil {
			return fmt.Errorf("%s in the backup: %w", file.Name, err)
		}
		found = found || file.Name == databaseName
	}
	if !found {
		return fmt.Errorf("there is no %s in it: it is not a backup of a data folder", databaseName)
	}
	return nil
}

func unpackFile(ctx context.Context, file *zip.File, target string) (err error) {
	content, err := file.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	return writeFile(target, interruptible{ctx, content})
}

// interruptible is a reader that ends with its context.
type interruptible struct {
	ctx    context.Context
	reader io.Reader
}

func (i interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.reader.Read(p)
}
