package natsd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"
)

const (
	eventStream  = "AGGREGATE_EVENTS"
	eventSubject = "tenant.acme.aggregate.Account.a1"
)

// doors is a server with an event stream of three messages and two clients: the daemon's and one over TCP.
type doors struct {
	srv          *Server
	owner, local *nats.Conn
	door         *nats.Conn // the NATS door's
	stream       jetstream.Stream
	violations   chan error
}

func openDoors(t *testing.T) *doors {
	t.Helper()
	d := &doors{violations: make(chan error, 64)}
	d.srv = startTest(t, Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", Sync: Interval}, realDisk())
	d.owner = connect(t, d.srv)
	var err error
	d.door, err = d.srv.ConnectDoor("door")
	must(t, err)
	js, err := jetstream.New(d.owner)
	must(t, err)
	d.stream, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: eventStream, Subjects: []string{"tenant.*.aggregate.>"},
		AllowDirect: true, DenyDelete: true, DenyPurge: true})
	must(t, err)
	for i := range 3 {
		_, err := js.Publish(t.Context(), eventSubject, fmt.Appendf(nil, "event %d", i+1))
		must(t, err)
	}
	d.local, err = nats.Connect("nats://"+d.srv.Addr(), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		select {
		case d.violations <- err:
		default:
		}
	}))
	must(t, err)
	t.Cleanup(d.local.Close)
	return d
}

// intact fails unless the stream still holds exactly the three events.
func (d *doors) intact(t *testing.T) {
	t.Helper()
	info, err := d.stream.Info(t.Context())
	must(t, err)
	if info.State.Msgs != 3 || info.State.LastSeq != 3 {
		t.Fatalf("got %d messages up to %d, want 3 up to 3", info.State.Msgs, info.State.LastSeq)
	}
	if !info.Config.DenyPurge || len(info.Config.Subjects) != 1 || info.Config.MaxMsgs > 0 {
		t.Fatalf("the stream's settings have changed: %+v", info.Config)
	}
}

func TestLocalClientMayNotWrite(t *testing.T) {
	d := openDoors(t)
	update := `{"name":"AGGREGATE_EVENTS","subjects":["tenant.*.aggregate.>"],"max_msgs":1,"storage":"file","num_replicas":1}`
	for _, c := range []struct{ name, subject, body string }{
		{"event", eventSubject, "forged"},
		{"event of another tenant", "tenant.evil.aggregate.Account.b", "forged"},
		{"watermark", "aggregate.synced." + eventStream, "99"},
		{"stream create", "$JS.API.STREAM.CREATE.MINE", `{"name":"MINE","subjects":["mine"],"storage":"file","num_replicas":1}`},
		{"stream update", "$JS.API.STREAM.UPDATE." + eventStream, update},
		{"stream delete", "$JS.API.STREAM.DELETE." + eventStream, ""},
		{"stream purge", "$JS.API.STREAM.PURGE." + eventStream, ""},
		{"message delete", "$JS.API.STREAM.MSG.DELETE." + eventStream, `{"seq":1}`},
		{"snapshot", "$JS.API.STREAM.SNAPSHOT." + eventStream, `{"deliver_subject":"x"}`},
		{"restore", "$JS.API.STREAM.RESTORE." + eventStream, update},
		{"stepdown", "$JS.API.STREAM.LEADER.STEPDOWN." + eventStream, ""},
		{"account purge", "$JS.API.ACCOUNT.PURGE.AGGREGATE", ""},
		{"gate", gateCreate + "." + eventStream, "{}"},
		{"system", "$SYS.REQ.SERVER.PING", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if m, err := d.local.Request(c.subject, []byte(c.body), 150*time.Millisecond); err == nil {
				t.Errorf("publish to %s was answered: %s", c.subject, m.Data)
			}
			select {
			case err := <-d.violations:
				if !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(err.Error(), c.subject) {
					t.Errorf("got %v, want a violation for %s", err, c.subject)
				}
			case <-time.After(20 * time.Second):
				t.Errorf("publish to %s was not refused", c.subject)
			}
			d.intact(t)
		})
	}
}

func TestLocalClientMayNotImpersonate(t *testing.T) {
	d := openDoors(t)
	for _, subject := range []string{"cmd.>", "$SRV.PING", "$JS.API.>"} {
		_, err := d.local.SubscribeSync(subject)
		must(t, err)
		must(t, d.local.Flush())
		select {
		case err := <-d.violations:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("subscribe to %s: got %v, want a violation", subject, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("subscribe to %s was not refused", subject)
		}
	}
}

// The server checks no permission on a reply subject and publishes the answer itself.
func TestReplySubjectDoesNotForge(t *testing.T) {
	d := openDoors(t)
	_, err := micro.AddService(d.door, micro.Config{Name: "aggregate", Version: "1.0.0",
		Endpoint: &micro.EndpointConfig{Subject: "cmd.>", Handler: micro.HandlerFunc(func(r micro.Request) { _ = r.Respond([]byte("done")) })}})
	must(t, err)
	must(t, d.door.Flush()) // the server has heard of the subscription before another connection asks
	for _, reply := range []string{"tenant.acme.aggregate.Account.forged", "$JS.API.STREAM.DELETE." + eventStream} {
		for _, request := range []struct{ subject, body string }{
			{"$JS.API.STREAM.MSG.GET." + eventStream, `{"seq":1}`},
			{"$JS.API.DIRECT.GET." + eventStream, `{"seq":1}`},
			{"$JS.API.STREAM.NAMES", ""},
			{"cmd.acme.Account.a1", "{}"},
			{"$SRV.PING", ""},
			{"$JS.API.CONSUMER.CREATE." + eventStream, `{"stream_name":"AGGREGATE_EVENTS","config":{"durable_name":"x","deliver_subject":"y"}}`},
		} {
			must(t, d.local.PublishRequest(request.subject, reply, []byte(request.body)))
		}
	}
	must(t, d.local.Flush())
	_, err = d.local.Request("cmd.acme.Account.a1", nil, 20*time.Second) // all before have been handled by now
	must(t, err)
	time.Sleep(100 * time.Millisecond)
	d.intact(t)
}

func TestPushConsumersAreRefused(t *testing.T) {
	d := openDoors(t)
	for _, body := range []string{
		`{"stream_name":"AGGREGATE_EVENTS","config":{"name":"c","deliver_subject":"$JS.API.STREAM.DELETE.AGGREGATE_EVENTS","headers_only":true}}`,
		`{"stream_name":"AGGREGATE_EVENTS","config":{"name":"c","Deliver_Subject":"tenant.x.aggregate.A.b"}}`,
		`{"stream_name":"AGGREGATE_EVENTS","config":{"name":"c","deliver_subject":"","deliver_subject":"x"}}`,
		`{"stream_name":`,
	} {
		for _, subject := range []string{"$JS.API.CONSUMER.CREATE.AGGREGATE_EVENTS.c", "$JS.API.CONSUMER.CREATE.AGGREGATE_EVENTS", "$JS.API.CONSUMER.DURABLE.CREATE.AGGREGATE_EVENTS.c"} {
			m, err := d.local.Request(subject, []byte(body), 20*time.Second)
			must(t, err)
			var answer struct {
				Error struct{ Code int }
			}
			must(t, json.Unmarshal(m.Data, &answer))
			if answer.Error.Code != 403 {
				t.Errorf("%s %s: got %s, want a refusal", subject, body, m.Data)
			}
		}
	}
	if info, err := d.stream.Info(t.Context()); err != nil || info.State.Consumers != 0 {
		t.Fatalf("got %+v, %v, want no consumers", info, err)
	}
}

func TestLocalClientConsumes(t *testing.T) {
	d := openDoors(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	js, err := jetstream.New(d.local)
	must(t, err)
	stream, err := js.Stream(ctx, eventStream)
	must(t, err)
	t.Run("get", func(t *testing.T) {
		m, err := stream.GetMsg(ctx, 2)
		must(t, err)
		last, err := stream.GetLastMsgForSubject(ctx, eventSubject)
		must(t, err)
		if string(m.Data) != "event 2" || string(last.Data) != "event 3" || last.Subject != eventSubject {
			t.Errorf("got %q and %q on %s", m.Data, last.Data, last.Subject)
		}
	})
	t.Run("durable with acks", func(t *testing.T) {
		c, err := stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{Durable: "reader", AckPolicy: jetstream.AckExplicitPolicy})
		must(t, err)
		batch, err := c.Fetch(3, jetstream.FetchMaxWait(20*time.Second))
		must(t, err)
		n := 0
		for m := range batch.Messages() {
			n++
			if m.Subject() != eventSubject || string(m.Data()) != fmt.Sprintf("event %d", n) {
				t.Errorf("message %d: got %q on %s", n, m.Data(), m.Subject())
			}
			must(t, m.DoubleAck(ctx))
		}
		info, err := c.Info(ctx)
		must(t, err)
		if n != 3 || info.AckFloor.Stream != 3 {
			t.Errorf("got %d messages, acks up to %d, want 3 and 3", n, info.AckFloor.Stream)
		}
		must(t, stream.DeleteConsumer(ctx, "reader"))
	})
	t.Run("ordered, live", func(t *testing.T) {
		c, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
		must(t, err)
		got := make(chan string, 16)
		consuming, err := c.Consume(func(m jetstream.Msg) { got <- string(m.Data()) })
		must(t, err)
		defer consuming.Stop()
		owner, err := jetstream.New(d.owner)
		must(t, err)
		_, err = owner.Publish(ctx, eventSubject, []byte("event 4"))
		must(t, err)
		for i := range 4 {
			select {
			case m := <-got:
				if m != fmt.Sprintf("event %d", i+1) {
					t.Fatalf("got %q, want event %d", m, i+1)
				}
			case <-ctx.Done():
				t.Fatalf("event %d did not come", i+1)
			}
		}
	})
}

func TestLocalClientCallsAndHears(t *testing.T) {
	d := openDoors(t)
	_, err := micro.AddService(d.door, micro.Config{Name: "aggregate", Version: "1.0.0", Endpoint: &micro.EndpointConfig{Subject: "cmd.>",
		Handler: micro.HandlerFunc(func(r micro.Request) {
			_ = r.Respond(append([]byte(r.Subject()+" "+r.Headers().Get("x-tenant-id")+" "), r.Data()...))
		})}})
	must(t, err)
	must(t, d.door.Flush()) // the server has heard of the subscription before another connection asks
	m, err := d.local.RequestMsg(&nats.Msg{Subject: "cmd.acme.Account.a1", Data: []byte("{}"), Header: nats.Header{"x-tenant-id": {"acme"}}}, 20*time.Second)
	must(t, err)
	if string(m.Data) != "cmd.acme.Account.a1 acme {}" {
		t.Errorf("got %q", m.Data)
	}
	m, err = d.local.Request("$SRV.INFO.aggregate", nil, 20*time.Second)
	must(t, err)
	if !strings.Contains(string(m.Data), `"cmd.\u003e"`) {
		t.Errorf("got %q, want the endpoint", m.Data)
	}
	sub, err := d.local.SubscribeSync("aggregate.synced.>")
	must(t, err)
	must(t, d.local.Flush())
	must(t, d.owner.Publish("aggregate.synced."+eventStream, []byte("3")))
	m, err = sub.NextMsg(20 * time.Second)
	must(t, err)
	if string(m.Data) != "3" || m.Subject != "aggregate.synced."+eventStream {
		t.Errorf("got %q on %s", m.Data, m.Subject)
	}
}

// The owner's key is of no use over TCP.
func TestOwnerIsInProcessOnly(t *testing.T) {
	d := openDoors(t)
	nc, err := nats.Connect("nats://"+d.srv.Addr(), d.srv.keys.auth(), nats.NoReconnect())
	if err == nil {
		nc.Close()
		t.Fatal("the owner's key was taken over TCP")
	}
	if !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("got %v, want %v", err, nats.ErrAuthorization)
	}
}
