package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	var (
		f    = flag.NewFlagSet("image", flag.ContinueOnError)
		spec Spec
		out  string
		tag  string
	)
	f.StringVar(&spec.Binary, "binary", "bin/aggd", "the static aggd binary for linux")
	f.StringVar(&spec.Certs, "certs", "/etc/ssl/certs/ca-certificates.crt", "PEM certificates of authorities (package ca-certificates)")
	f.StringVar(&spec.Version, "version", "0.1.0", "version of the image")
	f.StringVar(&spec.Arch, "arch", runtime.GOARCH, "architecture of the binary")
	f.StringVar(&tag, "tag", "cloudlysis/aggregate:local", "name of the image")
	f.StringVar(&out, "o", "bin/aggd-image.tar", "the tarball to write")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if err := write(out, tag, spec); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		return 1
	}
	fmt.Println(out)
	return 0
}
