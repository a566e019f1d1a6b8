package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteDiff writes the changes as text, for people.
func WriteDiff(w io.Writer, list []AggregateDiff) error {
	var b strings.Builder
	for i, d := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %s\n", d.Aggregate, d.verdict())
		for _, c := range d.Changes {
			fmt.Fprintf(&b, "  %-10s  %s: %s\n", c.Impact, c.What, c.Message)
			if c.Hint != "" {
				fmt.Fprintf(&b, "  %-10s    hint: %s\n", "", c.Hint)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (d *AggregateDiff) verdict() string {
	switch {
	case !d.Readable:
		return "stored events can NOT all be read"
	case len(d.Changes) == 1 && d.Changes[0].What == "aggregate "+d.Aggregate:
		return "a new aggregate"
	case len(d.Changes) == 0:
		return "no change that events, snapshots or callers would notice"
	case d.Snapshots:
		return "stored events stay readable, snapshots are kept"
	}
	return "stored events stay readable, snapshots are dropped and the state is replayed"
}
