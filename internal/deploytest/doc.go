// Package deploytest proves the files of deploy/: that they say nothing that aggd does not know.
//
// This package has the tests that need nothing but this module and, where they are installed,
// systemd-analyze and promtool. The nested module parsers has those that need the parsers of
// others (Dockerfile, compose, PromQL, goreleaser) and the builds; `make test-all` runs it. There
// is no code here but tests.
package deploytest
