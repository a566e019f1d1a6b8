package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/cloudlysis/aggregate/internal/aggdtest"
)

// The test binary is aggd when this variable is set: so tests run the real process and can kill it.
const asAggd = "AGGD_TEST_AS_AGGD"

func TestMain(m *testing.M) {
	if os.Getenv(asAggd) != "" {
		main()
	}
	os.Exit(m.Run())
}

func aggd(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asAggd+"=1", "GORACE=atexit_sleep_ms=0")
	return c
}

type node = aggdtest.Node

// start runs aggd serve with free ports and waits until it is ready.
func start(t *testing.T, dir, data string, args ...string) *node {
	t.Helper()
	return aggdtest.Start(t, aggd, dir, data, args...)
}
