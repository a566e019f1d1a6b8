package stream

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// ManifestBucket is the object store that keeps every source set that decided a commit.
const ManifestBucket = "AGGREGATE_MANIFESTS"

// manifestStore opens the bucket when it is first needed.
type manifestStore struct {
	mu     sync.Mutex
	bucket jetstream.ObjectStore
}

// PutManifest keeps the source set with the given hash ("sha256:…", over its paths and contents,
// which the caller has computed) as long as the log. Putting it again does nothing. It must be
// there before the first commit that it decides: then every decision can be explained.
func (l *Log) PutManifest(ctx context.Context, hash string, files map[string][]byte) error {
	err := l.putManifest(ctx, hash, files)
	if err != nil {
		return fmt.Errorf("keep manifest %s: %w", hash, err)
	}
	return nil
}

func (l *Log) putManifest(ctx context.Context, hash string, files map[string][]byte) error {
	if hash == "" || len(files) == 0 {
		return errors.New("a manifest has a hash and at least one file")
	}
	bucket, err := l.openBucket(ctx)
	if err != nil {
		return err
	}
	// The object's description is written after its last chunk, so what has one is whole.
	if _, err := bucket.GetInfo(ctx, hash); err == nil {
		return l.wait(ctx)
	} else if !errors.Is(err, jetstream.ErrObjectNotFound) {
		return streamError(err, "look up")
	}
	b, err := pack(files)
	if err != nil {
		return err
	}
	if _, err := bucket.Put(ctx, jetstream.ObjectMeta{Name: hash, Description: "source set, tar"}, bytes.NewReader(b)); err != nil {
		return streamError(err, "put")
	}
	return l.wait(ctx)
}

func (l *Log) wait(ctx context.Context) error {
	if l.opts.Sync == nil {
		return nil
	}
	return l.opts.Sync.Wait(ctx)
}

// ErrNoManifest: no source set with that hash was kept.
var ErrNoManifest = errors.New("no such manifest")

// GetManifest gives the source set with the given hash, or an error that matches [ErrNoManifest].
func (l *Log) GetManifest(ctx context.Context, hash string) (map[string][]byte, error) {
	bucket, err := l.openBucket(ctx)
	if err != nil {
		return nil, fmt.Errorf("get manifest %s: %w", hash, err)
	}
	b, err := bucket.GetBytes(ctx, hash) // compares the digest
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil, fmt.Errorf("get manifest %s: %w: the bucket %s has no such source set", hash, ErrNoManifest, ManifestBucket)
	}
	if err != nil {
		return nil, fmt.Errorf("get manifest %s: %w", hash, streamError(err, "get"))
	}
	files, err := unpack(b)
	if err != nil {
		return nil, fmt.Errorf("get manifest %s: %w", hash, err)
	}
	return files, nil
}

func (l *Log) openBucket(ctx context.Context) (jetstream.ObjectStore, error) {
	l.manifests.mu.Lock()
	defer l.manifests.mu.Unlock()
	if l.manifests.bucket != nil {
		return l.manifests.bucket, nil
	}
	b, err := l.jsr.ObjectStore(ctx, ManifestBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		b, err = l.jsr.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: ManifestBucket, Storage: jetstream.FileStorage,
			Replicas: l.opts.Replicas, Description: "Source sets of manifests that decided commits; kept as long as the log."})
		if errors.Is(err, jetstream.ErrBucketExists) { // another node was faster
			b, err = l.jsr.ObjectStore(ctx, ManifestBucket)
		}
	}
	if err != nil {
		return nil, streamError(err, "open bucket "+ManifestBucket)
	}
	l.manifests.bucket = b
	return b, nil
}

// pack makes the same bytes of the same files: sorted by path, no times, no owners.
func pack(files map[string][]byte) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: path, Mode: 0o644, Size: int64(len(files[path])), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("file %q: %w", path, err)
		}
		if _, err := w.Write(files[path]); err != nil {
			return nil, fmt.Errorf("file %q: %w", path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func unpack(b []byte) (map[string][]byte, error) {
	files := map[string][]byte{}
	r := tar.NewReader(bytes.NewReader(b))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			return nil, err
		}
	}
}
