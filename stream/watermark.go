package stream

import (
	"context"
	"strconv"
	"time"

	"github.com/cloudlysis/aggregate"
)

// WatermarkSubject is where the sequence up to which a stream is on disk is published, in decimal.
func WatermarkSubject(stream string) string { return "aggregate.synced." + stream }

// watermarkEvery is how often the watermark is repeated when nothing is written, for those who
// came after the last round.
const watermarkEvery = 2 * time.Second

// syncedTo returns when the message at seq, which was seen before the call, is as durable as
// configured. One wait covers all that was seen when it began: a stream is written in order.
func (l *Log) syncedTo(ctx context.Context, inc *incarnation, seq aggregate.Sequence) error {
	raise(&inc.seen, uint64(seq))
	if l.opts.Sync == nil || inc.synced.Load() >= uint64(seq) {
		return nil
	}
	upTo := inc.seen.Load()
	if err := l.opts.Sync.Wait(ctx); err != nil {
		return err
	}
	inc.onDisk(upTo)
	return nil
}

// onDisk notes that everything up to a sequence is on disk.
func (inc *incarnation) onDisk(upTo uint64) {
	if raise(&inc.synced, upTo) {
		select {
		case inc.lane.advanced <- struct{}{}:
		default: // it is being told already
		}
	}
}

// announce publishes the watermark of one stream after rounds of syncs until the log is closed or the stream deleted. It tells the newest value
// only, so that many rounds cost few messages. Nobody waits for it; who misses one gets the next.
func (l *Log) announce(ln *lane) {
	t := time.NewTicker(watermarkEvery)
	defer t.Stop()
	subject := WatermarkSubject(ln.name)
	for {
		if l.nc.IsConnected() && !l.gate.closed() {
			// An error is that of a connection just lost: watch deals with it.
			_ = l.nc.Publish(subject, strconv.AppendUint(nil, ln.current.Load().synced.Load(), 10))
		}
		select {
		case <-l.closed:
			return
		case <-ln.ended:
			return
		case <-ln.advanced:
		case <-t.C:
		}
	}
}
