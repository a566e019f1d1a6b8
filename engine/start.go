package engine

import (
	"context"

	"github.com/cloudlysis/aggregate"
)

// Start is Submit without the wait: it hands cmd to its aggregate and returns; done is called
// once with what Submit would return, perhaps before Start returns, on the owner's goroutine: it
// must not block. Commands of one aggregate that were started one after another are decided in
// that order. Once handed over a command is decided whatever becomes of ctx.
func (e *Engine) Start(ctx context.Context, cmd *aggregate.Command, done func(*aggregate.Reply, error)) {
	start := e.opts.Monotonic()
	finish := func(reply *aggregate.Reply, gas int64, err error) {
		if err != nil {
			reply = nil
		}
		e.opts.Observer.Command(cmd, reply, err, gas, e.opts.Monotonic()-start)
		done(reply, err)
	}
	if err := e.check(cmd); err != nil {
		finish(nil, 0, err)
		return
	}
	r := e.newRequest(askCommand, cmd)
	if err := r.hashPayload(); err != nil {
		r.free()
		finish(nil, 0, err)
		return
	}
	r.notify = finish
	if err := e.post(ctx, cmd.Key(), r); err != nil {
		finish(nil, 0, err)
	}
}
