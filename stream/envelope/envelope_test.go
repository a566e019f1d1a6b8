package envelope_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudlysis/aggregate"
	"github.com/cloudlysis/aggregate/stream/envelope"
)

const manifest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

var (
	commandHash = strings.Repeat("ab", 32)
	key         = aggregate.Key{Tenant: "acme", Type: "Account", ID: mustID("0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d")}
	commandID   = mustID("0192f0c1-2d3e-7a4b-8c5d-000000000001")
	at          = time.Date(2026, 11, 24, 10, 0, 0, 123456789, time.UTC)
)

func mustID(s string) aggregate.ID {
	id, err := aggregate.ParseID(s)
	if err != nil {
		panic(err)
	}
	return id
}

// sample is the message of system.md §2.
func sample() *envelope.Message {
	return &envelope.Message{Key: key, Prev: envelope.HashOf([]byte("before")), Commits: []aggregate.Commit{{
		CommandID: commandID, CommandHash: commandHash, Command: json.RawMessage(`{"type":"withdraw","amount":75}`),
		Timestamp: at, Actor: "alice", Roles: []string{"teller"},
		Metadata: map[string]string{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "correlation_id": "c-1"},
		Events: []aggregate.CommitEvent{{EventID: envelope.EventID(key, commandID, at, 0), Version: 8, Type: "withdrawn", Schema: 1,
			Payload: json.RawMessage(`{"amount":75,"fee":0.75}`)}},
		Manifest: manifest, Engine: "0.1.0/1",
	}}}
}

func encode(t testing.TB, m *envelope.Message) []byte {
	t.Helper()
	b, err := envelope.Encode(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEncodeWritesTheFormOfTheSpecification(t *testing.T) {
	prev := envelope.HashOf([]byte("before")).String()
	want := `{"v":1,"kind":"commits","tenant_id":"acme","aggregate_type":"Account","aggregate_id":"0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d",` +
		`"manifest":"` + manifest + `","engine":"0.1.0/1","prev":"` + prev + `","commits":[{"command_id":"0192f0c1-2d3e-7a4b-8c5d-000000000001",` +
		`"command_hash":"` + commandHash + `","command":{"type":"withdraw","amount":75},"timestamp":"2026-11-24T10:00:00.123456789Z","actor":"alice","roles":["teller"],` +
		`"metadata":{"correlation_id":"c-1","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},` +
		`"events":[{"event_id":"` + envelope.EventID(key, commandID, at, 0).String() + `","version":8,"event_type":"withdrawn","schema":1,"payload":{"amount":75,"fee":0.75}}]}]}`
	if got := string(encode(t, sample())); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestEncodeAppends(t *testing.T) {
	got, err := envelope.Encode([]byte("before"), sample())
	if err != nil || string(got) != "before"+string(encode(t, sample())) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestEncodeTakesTheYearsThatTextCanHold(t *testing.T) {
	first := time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)
	last := time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)
	west := time.FixedZone("west", -3600)
	for at, want := range map[time.Time]bool{first: true, first.Add(-1): false, first.Add(-2): false, last: true, last.Add(1): false, last.In(west): true, last.Add(1).In(west): false} {
		m := sample()
		m.Commits[0].Timestamp = at
		if _, err := envelope.Encode(nil, m); (err == nil) != want {
			t.Errorf("%v: got %v, want accepted %t", at, err, want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := map[string]func(*envelope.Message){
		"no commit":        func(m *envelope.Message) { m.Commits = nil },
		"tenant":           func(m *envelope.Message) { m.Key.Tenant = "a.b" },
		"type":             func(m *envelope.Message) { m.Key.Type = "account" },
		"id":               func(m *envelope.Message) { m.Key.ID = aggregate.ID{} },
		"manifest":         func(m *envelope.Message) { m.Commits[0].Manifest = "9f86" },
		"engine":           func(m *envelope.Message) { m.Commits[0].Engine = "" },
		"two manifests":    func(m *envelope.Message) { m.Commits = append(m.Commits, m.Commits[0]); m.Commits[1].Engine = "2" },
		"command id":       func(m *envelope.Message) { m.Commits[0].CommandID = aggregate.ID{} },
		"command hash":     func(m *envelope.Message) { m.Commits[0].CommandHash = strings.ToUpper(commandHash) },
		"command":          func(m *envelope.Message) { m.Commits[0].Command = json.RawMessage(`"withdraw"`) },
		"no time":          func(m *envelope.Message) { m.Commits[0].Timestamp = time.Time{} },
		"far time":         func(m *envelope.Message) { m.Commits[0].Timestamp = at.AddDate(9000, 0, 0) },
		"actor":            func(m *envelope.Message) { m.Commits[0].Actor = "\xff" },
		"metadata":         func(m *envelope.Message) { m.Commits[0].Metadata = map[string]string{"\xff": ""} },
		"event id":         func(m *envelope.Message) { m.Commits[0].Events[0].EventID = aggregate.ID{} },
		"event type":       func(m *envelope.Message) { m.Commits[0].Events[0].Type = "" },
		"schema":           func(m *envelope.Message) { m.Commits[0].Events[0].Schema = 0 },
		"version":          func(m *envelope.Message) { m.Commits[0].Events[0].Version = 0 },
		"huge version":     func(m *envelope.Message) { m.Commits[0].Events[0].Version = 1 << 53 },
		"gap":              func(m *envelope.Message) { m.Commits[0].Events = append(m.Commits[0].Events, m.Commits[0].Events[0]) },
		"no payload":       func(m *envelope.Message) { m.Commits[0].Events[0].Payload = nil },
		"broken payload":   func(m *envelope.Message) { m.Commits[0].Events[0].Payload = json.RawMessage(`{"a":1`) },
		"payload and more": func(m *envelope.Message) { m.Commits[0].Events[0].Payload = json.RawMessage(`{}{}`) },
		"duplicate member": func(m *envelope.Message) { m.Commits[0].Events[0].Payload = json.RawMessage(`{"a":1,"a":2}`) },
		"payload is a list": func(m *envelope.Message) {
			m.Commits[0].Events[0].Payload = json.RawMessage(`[]`)
		},
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			m := sample()
			spoil(m)
			got, err := envelope.Encode([]byte("kept"), m)
			if !errors.Is(err, envelope.ErrInvalid) {
				t.Errorf("got %v, want ErrInvalid", err)
			}
			if string(got) != "kept" {
				t.Errorf("got %q, want dst as it was", got)
			}
		})
	}
}

func TestDecodeIsStrict(t *testing.T) {
	body := string(encode(t, sample()))
	replace := func(old, new string) string {
		if !strings.Contains(body, old) {
			t.Fatalf("the body has no %q", old)
		}
		return strings.Replace(body, old, new, 1)
	}
	tests := []struct {
		name, body string
		want       error
	}{
		{"whole", body, nil},
		{"blanks", " " + strings.Replace(body, ",", " , ", 3) + "\n", nil},
		{"unknown member", replace(`"v":1`, `"v":1,"new":{"a":[1]}`), nil},
		{"unknown member of a commit", replace(`"actor":"alice"`, `"actor":"alice","new":1`), nil},
		{"must of a known name", replace(`"v":1`, `"v":1,"must":["prev"]`), nil},
		{"empty must", replace(`"v":1`, `"v":1,"must":[]`), nil},
		{"unknown must", replace(`"v":1`, `"v":1,"must":["prev","sealed"]`), aggregate.ErrManifestBehind},
		{"unknown must at the end", body[:len(body)-1] + `,"must":["x"]}`, aggregate.ErrManifestBehind},
		{"must with an escaped name", replace(`"v":1`, `"v":1,"mu\u0073t":["x"]`), aggregate.ErrManifestBehind},
		{"must is no list", replace(`"v":1`, `"v":1,"must":"x"`), aggregate.ErrRehydration},
		{"unknown v", replace(`"v":1`, `"v":2`), aggregate.ErrManifestBehind},
		{"unknown v at the end of another shape", `{"commits":7,"v":2}`, aggregate.ErrManifestBehind},
		{"unknown kind", replace(`"commits"`, `"repair"`), aggregate.ErrManifestBehind},
		{"unknown must beside other damage", replace(`"version":8`, `"version":"eight"`)[:len(replace(`"version":8`, `"version":"eight"`))-1] + `,"must":["x"]}`, aggregate.ErrManifestBehind},
		{"sealed event", replace(`"payload":{"amount":75,"fee":0.75}`, `"sealed":{"kid":"k"}`), aggregate.ErrManifestBehind},
		{"sealed command", replace(`"command":{"type":"withdraw","amount":75}`, `"sealed":{}`), aggregate.ErrManifestBehind},
		{"empty", ``, aggregate.ErrRehydration},
		{"no object", `[]`, aggregate.ErrRehydration},
		{"cut", body[:len(body)/2], aggregate.ErrRehydration},
		{"cut in front of the last bracket", body[:len(body)-1], aggregate.ErrRehydration},
		{"two messages", body + body, aggregate.ErrRehydration},
		{"no prev", replace(`"prev"`, `"perv"`), aggregate.ErrRehydration},
		{"no v", replace(`"v":1,`, ``), aggregate.ErrRehydration},
		{"prev of another form", replace(`"prev":"`, `"prev":"A`), aggregate.ErrRehydration},
		{"duplicate member", replace(`"v":1`, `"v":1,"v":1`), aggregate.ErrRehydration},
		{"tenant", replace(`"acme"`, `"a b"`), aggregate.ErrRehydration},
		{"type", replace(`"Account"`, `"account"`), aggregate.ErrRehydration},
		{"id", replace(`"0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"`, `"7"`), aggregate.ErrRehydration},
		{"zero id", replace(`0192f0c1-2d3e-7a4b-8c5d-000000000001`, `00000000-0000-0000-0000-000000000000`), aggregate.ErrRehydration},
		{"manifest", replace(`"sha256:`, `"md5:`), aggregate.ErrRehydration},
		{"engine", replace(`"0.1.0/1"`, `""`), aggregate.ErrRehydration},
		{"no commits", body[:strings.Index(body, `[{`)] + `[]}`, aggregate.ErrRehydration},
		{"commits is an object", body[:strings.Index(body, `[{`)] + `{}}`, aggregate.ErrRehydration},
		{"command hash", replace(commandHash, "ab"), aggregate.ErrRehydration},
		{"time", replace(`2026-11-24T`, `24.11.`), aggregate.ErrRehydration},
		{"version is a fraction", replace(`"version":8`, `"version":8.0`), aggregate.ErrRehydration},
		{"version is zero", replace(`"version":8`, `"version":0`), aggregate.ErrRehydration},
		{"version is negative", replace(`"version":8`, `"version":-8`), aggregate.ErrRehydration},
		{"version is a string", replace(`"version":8`, `"version":"8"`), aggregate.ErrRehydration},
		{"schema is zero", replace(`"schema":1`, `"schema":0`), aggregate.ErrRehydration},
		{"payload is a list", replace(`{"amount":75,"fee":0.75}`, `[]`), aggregate.ErrRehydration},
		{"payload is missing", replace(`"payload"`, `"pay"`), aggregate.ErrRehydration},
		{"roles is a string", replace(`["teller"]`, `"teller"`), aggregate.ErrRehydration},
		{"metadata of numbers", replace(`"c-1"`, `1`), aggregate.ErrRehydration},
		{"gap", replace(`"events":[{`, `"events":[{"event_id":"0192f0c1-2d3e-7a4b-8c5d-000000000009","version":6,"event_type":"x","schema":1,"payload":{}},{`), aggregate.ErrRehydration},
		{"not UTF-8", replace(`alice`, "\xff"), aggregate.ErrRehydration},
		{"deep", `{"v":1,"x":` + strings.Repeat("[", 1<<20), aggregate.ErrRehydration},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := envelope.Decode([]byte(tt.body))
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err == nil && !reflect.DeepEqual(m, sample()) {
				t.Errorf("got %+v, want %+v", m, sample())
			}
		})
	}
}

func TestDecodeNamesThePlace(t *testing.T) {
	body := strings.Replace(string(encode(t, sample())), `"version":8`, `"version":true`, 1)
	_, err := envelope.Decode([]byte(body))
	if err == nil || !strings.Contains(err.Error(), "/commits/0/events/0/version") {
		t.Errorf("got %v, want the JSON pointer of the version", err)
	}
}

// anyMessage draws messages that Encode accepts.
func anyMessage() *rapid.Generator[*envelope.Message] {
	id := rapid.Custom(func(t *rapid.T) (id aggregate.ID) {
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		id[0] |= 1
		return id
	})
	text := rapid.String().Filter(func(s string) bool { return strings.ToValidUTF8(s, "") == s })
	object := rapid.Custom(func(t *rapid.T) json.RawMessage {
		b, err := json.Marshal(rapid.MapOf(text, text).Draw(t, "object"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
	return rapid.Custom(func(t *rapid.T) *envelope.Message {
		m := &envelope.Message{Key: aggregate.Key{
			Tenant: aggregate.TenantID(rapid.StringMatching(`([A-Za-z0-9][A-Za-z0-9_-]{0,62})?`).Draw(t, "tenant")),
			Type:   aggregate.Type(rapid.StringMatching(`[A-Z][A-Za-z0-9_]{0,63}`).Draw(t, "type")), ID: id.Draw(t, "key")}}
		copy(m.Prev[:], rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "prev"))
		version := aggregate.Version(rapid.Uint64Range(1, 1<<52).Draw(t, "version"))
		engine := text.Filter(func(s string) bool { return s != "" }).Draw(t, "engine")
		for range rapid.IntRange(1, 4).Draw(t, "commits") {
			c := aggregate.Commit{CommandID: id.Draw(t, "command"), CommandHash: commandHash, Manifest: manifest, Engine: engine,
				Timestamp: time.Unix(rapid.Int64Range(-62135596799, 253402300799).Draw(t, "s"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC(),
				Actor:     text.Draw(t, "actor")}
			if rapid.Bool().Draw(t, "full") {
				c.Command = object.Draw(t, "payload")
			}
			if r := rapid.SliceOfN(text, 0, 3).Draw(t, "roles"); len(r) > 0 {
				c.Roles = r
			}
			if m := rapid.MapOfN(text, text, 0, 20).Draw(t, "metadata"); len(m) > 0 {
				c.Metadata = m
			}
			for range rapid.IntRange(0, 3).Draw(t, "events") {
				c.Events = append(c.Events, aggregate.CommitEvent{EventID: id.Draw(t, "event"), Version: version,
					Type: text.Filter(func(s string) bool { return s != "" }).Draw(t, "type"), Schema: rapid.IntRange(1, 1<<30).Draw(t, "schema"), Payload: object.Draw(t, "event payload")})
				version++
			}
			m.Commits = append(m.Commits, c)
		}
		return m
	})
}

func TestLawDecodeInvertsEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMessage().Draw(t, "message")
		body, err := envelope.Encode(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := envelope.Decode(body)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, m) {
			t.Fatalf("got %+v, want %+v", got, m)
		}
		again, err := envelope.Encode(nil, got)
		if err != nil || !bytes.Equal(again, body) {
			t.Fatalf("the same message made other bytes: %v\n%s\n%s", err, again, body)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, sample()))
	f.Add([]byte(`{"v":2}`))
	f.Add([]byte(`{"v":1,"kind":"commits","must":["\u0061"],"commits":[{"events":[{}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := envelope.Decode(body)
		if err != nil {
			if !errors.Is(err, aggregate.ErrRehydration) && !errors.Is(err, aggregate.ErrManifestBehind) {
				t.Fatalf("the error is of no kind: %v", err)
			}
			return
		}
		again, err := envelope.Encode(nil, m)
		if err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		m2, err := envelope.Decode(again)
		if err != nil || !reflect.DeepEqual(m, m2) {
			t.Fatalf("got %+v, %v, want %+v", m2, err, m)
		}
	})
}

func TestEventIDIsDerived(t *testing.T) {
	id := envelope.EventID(key, commandID, at, 0)
	// Fixed for ever, and computed with sha256sum: ids must come out the same in every release.
	if got, want := id.String(), "01a20cff-7d7b-7348-b73b-76badc2d0257"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if id[8]&0xc0 != 0x80 {
		t.Errorf("got variant bits %b", id[8]>>6)
	}
	if again := envelope.EventID(key, commandID, at.Add(time.Microsecond), 0); again != id {
		t.Errorf("got %s and %s for one millisecond", id, again)
	}
	other := key
	other.Tenant = "acm"
	for name, o := range map[string]aggregate.ID{
		"index":   envelope.EventID(key, commandID, at, 1),
		"tenant":  envelope.EventID(other, commandID, at, 0),
		"command": envelope.EventID(key, key.ID, at, 0),
	} {
		if o == id {
			t.Errorf("another %s gives the same id", name)
		}
	}
}

func TestSubjectNamingIncludesTenant(t *testing.T) { // seed T5.5
	tests := []struct {
		tenant aggregate.TenantID
		want   string
	}{
		{"acme-corp", "tenant.acme-corp.aggregate.Account.0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"},
		{"", "tenant._.aggregate.Account.0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"},
	}
	for _, tt := range tests {
		k := aggregate.Key{Tenant: tt.tenant, Type: "Account", ID: key.ID}
		got := envelope.Single.Subject(k)
		if got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
		if back, err := envelope.ParseSubject(got); err != nil || back != k {
			t.Errorf("ParseSubject(%s): got %v, %v", got, back, err)
		}
	}
}

func TestParseSubjectRefuses(t *testing.T) {
	good := envelope.Single.Subject(key)
	for _, s := range []string{"", "tenant", good + ".", good + ".zz", good + ".0A", good + ".00.00", "x" + good, strings.ToUpper(good),
		strings.Replace(good, "acme", "", 1), strings.Replace(good, "acme", "*", 1), strings.Replace(good, "acme", "_a", 1),
		strings.Replace(good, "Account", "account", 1), strings.Replace(good, "Account", ">", 1),
		strings.Replace(good, "0192f0c1", "0192F0C1", 1), strings.Replace(good, "aggregate", "event", 1)} {
		if k, err := envelope.ParseSubject(s); err == nil {
			t.Errorf("ParseSubject(%q) gave %v", s, k)
		}
	}
	if k, err := envelope.ParseSubject(good + ".0f"); err != nil || k != key {
		t.Errorf("a sharded subject: got %v, %v", k, err)
	}
}

func TestFilterSubjects(t *testing.T) {
	tests := []struct {
		f    envelope.Filter
		want string
	}{
		{envelope.Filter{AllTenants: true}, "tenant.*.aggregate.*.>"},
		{envelope.Filter{}, "tenant._.aggregate.*.>"},
		{envelope.Filter{Tenant: "acme", Type: "Account"}, "tenant.acme.aggregate.Account.>"},
		{envelope.Filter{Tenant: "acme", Type: "Account", ID: key.ID}, envelope.Single.Subject(key)},
	}
	for _, tt := range tests {
		if got := tt.f.Subject(); got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt.f, got, tt.want)
		}
	}
}

func TestHeaders(t *testing.T) {
	h := envelope.Headers(sample(), aggregate.Mark{Version: 7, Sequence: 41, Before: [aggregate.MarkBefore]aggregate.Sequence{40, 31}})
	want := map[string][]string{
		"agg-format": {"1"}, "agg-first-version": {"8"}, "agg-version": {"8"}, "agg-prev-seq": {"41"},
		"agg-before":                          {"1 9"},
		"Nats-Expected-Last-Subject-Sequence": {"41"},
		"Nats-Msg-Id":                         {"acme/Account/0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d/0192f0c1-2d3e-7a4b-8c5d-000000000001"},
		"x-tenant-id":                         {"acme"}, "x-correlation-id": {"c-1"},
		"traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
	}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("got %v, want %v", h, want)
	}
	if got := envelope.Before(nil, h); !slices.Equal(got, []aggregate.Sequence{41, 40, 31}) {
		t.Errorf("Before: got %v", got)
	}
	for _, v := range []string{"", "x", "0", "41", "-1", "1  2", "99999999999999999999"} {
		if got := envelope.Before(nil, map[string][]string{"agg-prev-seq": {"41"}, "agg-before": {v}}); got[0] != 41 || len(got) > 2 {
			t.Errorf("agg-before %q: got %v", v, got)
		}
	}
	if seq, ok := envelope.PrevSequence(h); !ok || seq != 41 {
		t.Errorf("PrevSequence: got %d, %t", seq, ok)
	}
	if err := envelope.CheckFormat(h); err != nil {
		t.Error(err)
	}
	h["agg-format"] = []string{"2"}
	if err := envelope.CheckFormat(h); !errors.Is(err, aggregate.ErrManifestBehind) {
		t.Errorf("got %v, want ErrManifestBehind", err)
	}
	h["agg-prev-seq"] = []string{"-1"}
	if _, ok := envelope.PrevSequence(h); ok {
		t.Error("a negative agg-prev-seq was read")
	}
}

// The memory of one message's headers serves the next: nothing of it shows through.
func TestHeaderSetIsUsedAgain(t *testing.T) {
	var set envelope.HeaderSet
	far := aggregate.Mark{Version: 1 << 40, Sequence: 1 << 50, Before: [aggregate.MarkBefore]aggregate.Sequence{1 << 49, 7}}
	for i, at := range []aggregate.Mark{{}, far, {}, {Version: 7, Sequence: 41}, far} {
		m := sample()
		if i%2 == 0 {
			m.Commits[0].Metadata = nil
			m.Key.Tenant = "a-tenant-with-a-longer-name"
		}
		subject := envelope.Single.Subject(m.Key)
		if got, want := set.Fill([]byte(subject), "", m, &at), envelope.Headers(m, at); !reflect.DeepEqual(got, want) || set.Subject != subject {
			t.Errorf("message %d: got %v on %s, want %v on %s", i, got, set.Subject, want, subject)
		}
	}
	if h := set.Fill(nil, "tenant.*", sample(), &far); h[envelope.HeaderExpectedSubject][0] != "tenant.*" || set.Subject != "" {
		t.Errorf("got %v on %q", h, set.Subject)
	}
}

func TestHeadersKeepForeignValuesOut(t *testing.T) {
	for _, v := range []string{"a\r\nNats-Rollup: all", "ä", "a b", strings.Repeat("x", 129), ""} {
		m := sample()
		m.Commits[0].Metadata = map[string]string{"correlation_id": v, "traceparent": v}
		h := envelope.Headers(m, aggregate.Mark{})
		if h["x-correlation-id"] != nil || h["traceparent"] != nil {
			t.Errorf("%q became a header: %v", v, h)
		}
	}
}

func TestVersionsOfAMessage(t *testing.T) {
	m := sample()
	if m.First() != 8 || m.Last() != 8 || m.Events() != 1 {
		t.Errorf("got %d %d %d", m.First(), m.Last(), m.Events())
	}
	m.Commits[0].Events = nil
	if m.First() != 0 || m.Last() != 0 {
		t.Errorf("without events: got %d %d", m.First(), m.Last())
	}
	if h := envelope.Headers(m, aggregate.Mark{Version: 7, Sequence: 41}); h["agg-first-version"][0] != "8" || h["agg-version"][0] != "7" {
		t.Errorf("without events: got %v", h)
	}
}

func BenchmarkEncode(b *testing.B) {
	m := sample()
	buf := encode(b, m)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = envelope.Encode(buf[:0], m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	body := encode(b, sample())
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := envelope.Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}
