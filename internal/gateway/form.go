package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"os"
	"strings"
)

// Bounds of a form with a file.
const (
	maxFormFields     = 64
	maxFormFieldBytes = 64 * 1024
	// maxFormMemoryBytes is how much of a file stays in memory; the rest goes to a
	// temporary file.
	maxFormMemoryBytes = 1 << 20
)

// Errors of ReadForm.
var (
	ErrNoFile        = errors.New("the form has no file: send one in the field file")
	ErrTwoFiles      = errors.New("the form has more than one file: send one")
	ErrFormTooLarge  = fmt.Errorf("the form has more than %d fields, or one of more than %d bytes", maxFormFields, maxFormFieldBytes)
	ErrRepeatedField = errors.New("the form names a field twice: name each once, or end its name with []")
)

// Form is a multipart form with one file. It can be sent several times, for there
// may be several providers to try.
type Form struct {
	fields []formField
	file   formFile
}

type formField struct{ name, value string }

type formFile struct {
	header textproto.MIMEHeader
	size   int64
	memory []byte   // the whole file, or else
	disk   *os.File // the whole file
}

// ReadForm takes a form apart. The caller bounds the body, and closes the form.
func ReadForm(body io.Reader, boundary string) (*Form, error) {
	form := &Form{}
	parts := multipart.NewReader(body, boundary)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = form.add(part)
		}
		if err != nil {
			return nil, errors.Join(err, form.Close())
		}
	}
	if form.file.header == nil {
		return nil, ErrNoFile
	}
	return form, nil
}

func (f *Form) add(part *multipart.Part) error {
	if part.FileName() != "" {
		if f.file.header != nil {
			return ErrTwoFiles
		}
		f.file.header = fileHeader(part)
		return f.file.read(part)
	}
	value, err := io.ReadAll(io.LimitReader(part, maxFormFieldBytes+1))
	if err != nil {
		return err
	}
	if len(value) > maxFormFieldBytes || len(f.fields) >= maxFormFields {
		return ErrFormTooLarge
	}
	name := part.FormName()
	if _, known := f.Field(name); known && !strings.HasSuffix(name, "[]") {
		return ErrRepeatedField
	}
	f.fields = append(f.fields, formField{name, string(value)})
	return nil
}

// fileHeader keeps what a provider needs of a file's header, and nothing else.
func fileHeader(part *multipart.Part) textproto.MIMEHeader {
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", multipart.FileContentDisposition(part.FormName(), part.FileName()))
	kind := part.Header.Get("Content-Type")
	if kind == "" {
		kind = "application/octet-stream"
	}
	header.Set("Content-Type", kind)
	return header
}

func (f *formFile) read(part io.Reader) error {
	var err error
	f.memory, err = io.ReadAll(io.LimitReader(part, maxFormMemoryBytes+1))
	f.size = int64(len(f.memory))
	if err != nil || f.size <= maxFormMemoryBytes {
		return err
	}
	if f.disk, err = os.CreateTemp("", "sokuji-upload-*"); err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
	// Without a name it is gone with the process, however that ends.
	_ = os.Remove(f.disk.Name())
	f.size, err = io.Copy(f.disk, io.MultiReader(bytes.NewReader(f.memory), part))
	f.memory = nil
	return err
}

func (f *formFile) content() io.Reader {
	if f.disk != nil {
		return io.NewSectionReader(f.disk, 0, f.size)
	}
	return bytes.NewReader(f.memory)
}

// Field is the value of the first field of a name.
func (f *Form) Field(name string) (string, bool) {
	for _, field := range f.fields {
		if field.name == name {
			return field.value, true
		}
	}
	return "", false
}

// FileBytes is the size of the file.
func (f *Form) FileBytes() int64 { return f.file.size }

// With returns the form with a field set to a value; the file is shared.
func (f *Form) With(name, value string) *Form {
	changed := &Form{file: f.file}
	for _, field := range f.fields {
		if field.name != name {
			changed.fields = append(changed.fields, field)
		}
	}
	changed.fields = append(changed.fields, formField{name, value})
	return changed
}

// Encode writes the form anew: its content type, its length in bytes, and a body
// that reads the file from where it is.
func (f *Form) Encode() (contentType string, length int64, body io.Reader, err error) {
	var frame bytes.Buffer
	writer := multipart.NewWriter(&frame)
	for _, field := range f.fields {
		if err := writer.WriteField(field.name, field.value); err != nil {
			return "", 0, nil, err
		}
	}
	if _, err := writer.CreatePart(f.file.header); err != nil {
		return "", 0, nil, err
	}
	head := frame.Len()
	if err := writer.Close(); err != nil {
		return "", 0, nil, err
	}
	text := frame.Bytes()
	body = io.MultiReader(bytes.NewReader(text[:head]), f.file.content(), bytes.NewReader(text[head:]))
	return writer.FormDataContentType(), int64(len(text)) + f.file.size, body, nil
}

// WriteTo writes what makes two forms the same: every field and the file.
func (f *Form) WriteTo(digest io.Writer) (int64, error) {
	for _, field := range f.fields {
		fmt.Fprintf(digest, "%q=%q\n", field.name, field.value)
	}
	return io.Copy(digest, f.file.content())
}

// Close deletes the temporary file.
func (f *Form) Close() error {
	if f.file.disk == nil {
		return nil
	}
	return f.file.disk.Close()
}
