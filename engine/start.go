package engine

import (
	"context"

	"github.com/cloudlysis/aggregate"
)

// Start is Submit without the wait: it hands cmd to its aggregate and returns; done is called
// once with what Submit would return, perhaps before Start returns, on a goroutine that others wait
// for: it must not block. Commands of one aggregate that were started one after another are decided in
// that order. Once handed over a command is decided whatever becomes of ctx.
func (e *Engine) Start(ctx context.Context, cmd *aggregate.Command, done func(*aggregate.Reply, error)) {
	start := e.opts.Monotonic()
	finish := func(reply *aggregate.Reply, s spent, err error) {
		if err != nil {
			reply = nil
		}
		e.observe(cmd, reply, err, start, &s)
		done(reply, err)
	}
	if err := e.check(cmd); err != nil {
		finish(nil, spent{}, err)
		return
	}
	r := e.newRequest(askCommand, cmd, start)
	if err := r.hashPayload(); err != nil {
		r.free()
		finish(nil, spent{}, err)
		return
	}
	r.notify = finish
	if err := e.post(ctx, cmd.Key(), r); err != nil {
		finish(nil, spent{}, err)
	}
}
