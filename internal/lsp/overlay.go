package lsp

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// overlay is a directory in which open buffers lie over the files on disk.
type overlay struct {
	dir   fs.FS
	files map[string][]byte // by path in dir
}

var (
	_ fs.StatFS    = (*overlay)(nil)
	_ fs.ReadDirFS = (*overlay)(nil)
)

// Open opens the buffer called name, or the file on disk.
func (o *overlay) Open(name string) (fs.File, error) {
	if text, ok := o.files[name]; ok {
		return &bufferFile{Reader: bytes.NewReader(text), info: bufferInfo{path.Base(name), int64(len(text))}}, nil
	}
	return o.dir.Open(name)
}

// Stat describes the buffer called name, or the file on disk.
func (o *overlay) Stat(name string) (fs.FileInfo, error) {
	if text, ok := o.files[name]; ok {
		return bufferInfo{path.Base(name), int64(len(text))}, nil
	}
	return fs.Stat(o.dir, name)
}

// ReadDir lists what is on disk and the buffers that were never saved.
func (o *overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(o.dir, name)
	for p, text := range o.files {
		if path.Dir(p) != name || slices.ContainsFunc(list, func(e fs.DirEntry) bool { return e.Name() == path.Base(p) }) {
			continue
		}
		list, err = append(list, fs.FileInfoToDirEntry(bufferInfo{path.Base(p), int64(len(text))})), nil
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, err
}

type bufferFile struct {
	*bytes.Reader
	info bufferInfo
}

func (f *bufferFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *bufferFile) Close() error               { return nil }

type bufferInfo struct {
	name string
	size int64
}

func (i bufferInfo) Name() string       { return i.name }
func (i bufferInfo) Size() int64        { return i.size }
func (i bufferInfo) Mode() fs.FileMode  { return 0o444 }
func (i bufferInfo) ModTime() time.Time { return time.Time{} }
func (i bufferInfo) IsDir() bool        { return false }
func (i bufferInfo) Sys() any           { return nil }
