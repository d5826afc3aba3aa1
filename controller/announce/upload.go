package announce

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"os"
	"path/filepath"

	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/remote"
)

// upload streams a file, from its beginning at every attempt.
func upload(ctx context.Context, c *remote.Client, token, key, path string, sent func(done, all int64)) (api.Content, error) {
	var out api.Content
	err := c.Do(ctx, remote.Request{Method: "POST", Path: "/api/v1/contents", Token: token, Key: key, Body: func() (io.ReadCloser, string, error) {
		return form(path, sent)
	}}, &out)
	return out, err
}

// form is a multipart form around a file, written as it is read.
func form(path string, sent func(done, all int64)) (io.ReadCloser, string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, "", errors.Join(err, file.Close())
	}
	r, w := io.Pipe()
	m := multipart.NewWriter(w)
	go func() {
		defer func() { _ = file.Close() }()
		part, err := m.CreateFormFile("file", filepath.Base(path))
		if err == nil {
			_, err = io.Copy(part, &counted{Reader: file, all: info.Size(), sent: sent})
		}
		_ = w.CloseWithError(errors.Join(err, m.Close())) // a pipe always closes
	}()
	return r, m.FormDataContentType(), nil
}

// counted says how far a file was read.
type counted struct {
	io.Reader
	done, all int64
	sent      func(done, all int64)
}

// Read reads on and says so.
func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.done += int64(n)
	c.sent(c.done, c.all)
	return n, err
}
