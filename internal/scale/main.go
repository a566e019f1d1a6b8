package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// options are the flags, which the parent hands to every part.
type options struct {
	part, parts, out, dir string
	limit                 string // of memory
	keep                  bool
	known, door, active   int // aggregates
	starts                int // how often each kind of start is measured
	snapshots             int
	puts, gets            int // a second
	apart, commits, tail  int // of the rehydration
}

// parts in the order of the document.
var parts = []struct {
	name, title string
	run         func(*options, *report) error
}{
	{"known", "Aggregates known and active", measureKnown},
	{"heap", "Heap of an aggregate", measureHeap},
	{"store", "Snapshots", measureStore},
	{"rehydrate", "Rehydration", measureRehydrate},
}

func main() {
	var o options
	flag.StringVar(&o.parts, "parts", "known,heap,store,rehydrate", "what to measure; heap needs the data of known")
	flag.StringVar(&o.part, "part", "", "measure one part in this process and print its rows (the parent says so)")
	flag.StringVar(&o.out, "o", "", "write the document to this file; empty: to stdout")
	flag.StringVar(&o.dir, "dir", "", "where the data lie; empty: a new folder under the system's for temporary files")
	flag.BoolVar(&o.keep, "keep", false, "leave the data for the next run")
	flag.IntVar(&o.known, "known", 1_000_000, "aggregates known, one commit each")
	flag.IntVar(&o.door, "door", 30_000, "aggregates made through the door; the others are copies of the last of them")
	flag.IntVar(&o.active, "active", 10_000, "aggregates active, drawn from those at random")
	flag.StringVar(&o.limit, "limit", "1GiB", "GOMEMLIMIT of an aggd that is to keep its memory small")
	flag.IntVar(&o.starts, "starts", 3, "starts of each kind")
	flag.IntVar(&o.snapshots, "snapshots", 1_000_000, "snapshots in the store")
	flag.IntVar(&o.puts, "puts", 2000, "snapshots put a second while stalls are measured")
	flag.IntVar(&o.gets, "gets", 2000, "snapshots read a second while stalls are measured")
	flag.IntVar(&o.apart, "apart", 2000, "foreign messages between two of the aggregate that is loaded")
	flag.IntVar(&o.commits, "commits", 1000, "messages of that aggregate")
	flag.IntVar(&o.tail, "tail", 10, "messages of the short load")
	flag.Parse()
	if err := run(&o); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(o *options) error {
	if o.part != "" {
		for _, p := range parts {
			if p.name == o.part {
				return p.run(o, &report{w: os.Stdout})
			}
		}
		return fmt.Errorf("there is no part %q", o.part)
	}
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "aggregate-scale-")
		if err != nil {
			return err
		}
		o.dir = dir
	}
	if !o.keep {
		defer os.RemoveAll(o.dir)
	}
	var doc strings.Builder
	writeHead(&doc, o)
	err := each(o, &doc)
	if o.out == "" || err != nil {
		fmt.Print(doc.String())
		return err
	}
	doc.WriteString(remarks(o.out))
	return os.WriteFile(o.out, []byte(doc.String()), 0o644)
}

// byHand heads the part of the document that people write; a new run keeps it.
const byHand = "\n## What the figures say\n"

func remarks(path string) string {
	old, _ := os.ReadFile(path) // there need not be one
	if i := strings.Index(string(old), byHand); i >= 0 {
		return string(old[i:])
	}
	return ""
}

// each writes the tables of the parts that were asked for.
func each(o *options, doc io.Writer) error {
	for _, p := range parts {
		if !strings.Contains(","+o.parts+",", ","+p.name+",") {
			continue
		}
		rows, err := child(o, p.name)
		if err != nil {
			return fmt.Errorf("part %s: %w", p.name, err)
		}
		writeTable(doc, p.title, rows)
	}
	return nil
}

// child measures one part in a process of its own.
func child(o *options, part string) ([]row, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"-part", part, "-dir", o.dir}
	flag.Visit(func(f *flag.Flag) {
		if f.Name != "dir" && f.Name != "o" {
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	c := exec.Command(self, args...)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	rows, err := readRows(out)
	return rows, errors.Join(err, c.Wait())
}

func readRows(r io.Reader) (rows []row, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var one row
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("%s: %w", lines.Text(), err)
		}
		fmt.Fprintf(os.Stderr, "  %s: %s %s\n", one.What, one.Figure, one.Note)
		rows = append(rows, one)
	}
	return rows, lines.Err()
}

// path names something in the folder of the data.
func (o *options) path(name string) string { return filepath.Join(o.dir, name) }
