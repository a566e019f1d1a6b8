// Command report measures all contenders and edges and writes docs/performance.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/cloudlysis/aggregate/bench"
)

func main() {
	out := flag.String("o", "../docs/performance.md", "where to write")
	rounds := flag.Int("rounds", 50, "rounds for each contender; a round is 20 ms of it and 20 ms of the baseline")
	only := flag.Int("ours", -1, "print the ratio of the VM with that many holds, nothing else")
	flag.Parse()
	if err := run(*out, *rounds, *only); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(out string, rounds, only int) error {
	if only >= 0 {
		r, err := bench.MeasureOurs(only, rounds)
		fmt.Println(r.Ratio)
		return err
	}
	native, err := bench.NativeTable(rounds)
	if err != nil {
		return err
	}
	edges, err := bench.EdgeTable(rounds)
	if err != nil {
		return err
	}
	gas, err := priceOfGas(rounds)
	if err != nil {
		return err
	}
	text := bench.Document(machine(), rounds, native, gas, edges)
	return os.WriteFile(out, []byte(text), 0o644)
}

func machine() string {
	model := "unknown processor"
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			model = strings.Trim(name, "\t :\n")
			break
		}
	}
	return fmt.Sprintf("%d virtual %s, %s, %s/%s", runtime.NumCPU(), model, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// priceOfGas compares this build with one whose loop charges nothing, in turns.
func priceOfGas(rounds int) (string, error) {
	dir, err := os.MkdirTemp("", "nogas")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	bare := filepath.Join(dir, "report")
	build := exec.Command("go", "build", "-tags", "aggregate_nogas", "-o", bare, "./report")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("build without gas: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, holds := range []int{2, 100} {
		on, off := []float64{}, []float64{}
		for range 7 {
			for _, side := range []struct {
				exe string
				all *[]float64
			}{{self, &on}, {bare, &off}} {
				ratio, err := ours(side.exe, holds, rounds)
				if err != nil {
					return "", err
				}
				*side.all = append(*side.all, ratio)
			}
		}
		with, without := median(on), median(off)
		fmt.Fprintf(&b, "| %d | %.3f | %.3f | %+.1f %% |\n", holds, without, with, (with/without-1)*100)
	}
	return b.String(), nil
}

func ours(exe string, holds, rounds int) (float64, error) {
	out, err := exec.Command(exe, "-ours", strconv.Itoa(holds), "-rounds", strconv.Itoa(rounds)).Output()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
}

func median(xs []float64) float64 {
	slices.Sort(xs)
	return xs[len(xs)/2]
}
