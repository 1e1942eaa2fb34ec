package usagearchive

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// archivedRow is what has to be known of a row in a file.
type archivedRow struct {
	ID     string `json:"id"`
	Tokens int64  `json:"charged_tokens"`
}

// verify reads a file from the disk and returns the ids in it, when it is what its
// manifest says.
func (a *Archiver) verify(archive Archive) ([]string, error) {
	ids, err := readArchive(filepath.Join(a.folder, archive.File), archive)
	if err != nil {
		return nil, fmt.Errorf("the archive file is not what usage_archives row %d says, so no usage rows were removed: "+
			"bring it back from a backup: %w", archive.ID, err)
	}
	return ids, nil
}

func readArchive(path string, archive Archive) (ids []string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()

	hash := sha256.New()
	raw := bufio.NewReader(io.TeeReader(file, hash))
	unzipped, err := gzip.NewReader(raw)
	if err != nil {
		return nil, err
	}
	var tokens int64
	for decoder := json.NewDecoder(unzipped); ; {
		var row archivedRow
		if err := decoder.Decode(&row); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(ids)+1, err)
		}
		if int64(len(ids)) == archive.Rows {
			return nil, fmt.Errorf("it has more than %d rows", archive.Rows)
		}
		ids, tokens = append(ids, row.ID), tokens+row.Tokens
	}
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return nil, err
	}
	return ids, compare(archive, ids, tokens, hex.EncodeToString(hash.Sum(nil)))
}

func compare(archive Archive, ids []string, tokens int64, sum string) error {
	switch {
	case sum != archive.SHA256:
		return fmt.Errorf("its SHA-256 is %s, not %s", sum, archive.SHA256)
	case int64(len(ids)) != archive.Rows || len(ids) == 0:
		return fmt.Errorf("it has %d rows, not %d", len(ids), archive.Rows)
	case tokens != archive.Tokens:
		return fmt.Errorf("its rows charged %d tokens, not %d", tokens, archive.Tokens)
	case ids[0] != archive.FirstID || ids[len(ids)-1] != archive.LastID:
		return fmt.Errorf("it goes from %s to %s, not from %s to %s", ids[0], ids[len(ids)-1], archive.FirstID, archive.LastID)
	}
	return nil
}
