package daemon

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate/stream"
)

// TestWatchSeesAppendsThatStandStill: the streams answer, so only the appends under way tell.
func TestWatchSeesAppendsThatStandStill(t *testing.T) {
	at := time.Now()
	seen := func(n uint64, inFlight int) stream.Health {
		h := stream.Health{Connected: true, Reachable: true, InFlight: inFlight}
		for range n {
			h.Seen++
		}
		return h
	}
	lost := stream.Health{Err: errors.New("no answer")}
	tests := []struct {
		name  string
		looks []stream.Health // one a second
		later time.Duration   // after the last
		want  string
	}{
		{"nothing under way", []stream.Health{seen(5, 0), seen(5, 0), seen(5, 0), seen(5, 0), seen(5, 0)}, 0, ""},
		{"appends move", []stream.Health{seen(5, 3), seen(6, 3), seen(7, 3), seen(8, 3), seen(9, 3)}, 0, ""},
		{"appends stand still", []stream.Health{seen(5, 0), seen(5, 3), seen(5, 3), seen(5, 3), seen(5, 3), seen(5, 3)}, 0, "3 appends are under way and none has moved for 4s"},
		{"they moved again", []stream.Health{seen(5, 3), seen(5, 3), seen(5, 3), seen(5, 3), seen(5, 3), seen(6, 3)}, 0, ""},
		{"no answer", []stream.Health{seen(5, 0), lost}, 0, "no answer"},
		{"an answer again", []stream.Health{lost, seen(5, 0)}, 0, ""},
		{"the watch itself is stuck", []stream.Health{seen(5, 0)}, 4 * time.Second, "no sign of life for 4s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, now := &watch{}, at
			for i, h := range tt.looks {
				now = at.Add(time.Duration(i) * time.Second)
				w.note(h, now)
			}
			log, disk := w.verdict(now.Add(tt.later))
			if disk != nil || (log == nil) != (tt.want == "") || log != nil && !strings.Contains(log.Error(), tt.want) {
				t.Errorf("got %v and %v, want %q", log, disk, tt.want)
			}
		})
	}
}
