package config

import (
	"strings"
	"testing"
	"time"
)

// A path on a drive that is not there has no parent that is.
func TestNoSuchDrive(t *testing.T) {
	s := Default()
	s.Manifests, s.Data = t.TempDir(), `Q:\data\of\aggd`
	done := make(chan error, 1)
	go func() { done <- s.Validate() }()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), `there is no Q:\`) {
			t.Errorf("got %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no end")
	}
}
