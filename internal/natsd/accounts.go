package natsd

import (
	"fmt"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// The accounts of the server; see the package comment for why there are two.
const (
	ownerAccount = "AGGREGATE"
	localAccount = "LOCAL"
)

// gateCreate is where requests of local clients to make a consumer arrive in the owner's account.
const gateCreate = "aggd.gate.CONSUMER.CREATE"

// service is one thing that local clients may ask of the owner's account.
type service struct {
	subject string // as they say it
	to      string // as the owner's account hears it; empty is the same
	stream  bool   // one request may have many answers
}

// doorSubjects are what the NATS door answers, in the account of those who ask: an import of a service makes a subject of
// its own for each answer, and 48 of the 89 allocations of a request.
var doorSubjects = [...]string{"cmd.>", "$SRV.>"}

// services is all else that a local client may publish. Whatever is not here does not leave its account: tenant.>, and every
// part of the JetStream API that changes streams, deletes messages or moves leaders.
var services = [...]service{
	{subject: "$JS.API.INFO"},
	{subject: "$JS.API.STREAM.NAMES"},
	{subject: "$JS.API.STREAM.LIST"},
	{subject: "$JS.API.STREAM.INFO.*"},
	{subject: "$JS.API.STREAM.MSG.GET.*"},
	{subject: "$JS.API.DIRECT.GET.>", stream: true},
	{subject: "$JS.API.CONSUMER.CREATE.>", to: gateCreate + ".>"},
	{subject: "$JS.API.CONSUMER.DURABLE.CREATE.>", to: gateDurable + ".>"},
	{subject: "$JS.API.CONSUMER.DELETE.*.*"},
	{subject: "$JS.API.CONSUMER.INFO.*.*"},
	{subject: "$JS.API.CONSUMER.NAMES.*"},
	{subject: "$JS.API.CONSUMER.LIST.*"},
	{subject: "$JS.API.CONSUMER.MSG.NEXT.*.*", stream: true},
	{subject: "$JS.ACK.>", stream: true}, // +NXT is answered by a message
}

// localHears is what local clients may hear of the owner's account without asking: the watermarks of docs/events.md.
const localHears = "aggregate.synced.>"

// keys are the users of the two accounts, made anew for every server. Only the daemon's own two can sign.
type keys struct {
	owner, door                 nkeys.KeyPair
	ownerPub, doorPub, localPub string
}

func newKeys() (k keys, err error) {
	if k.owner, k.ownerPub, err = newKey(); err != nil {
		return k, err
	}
	if k.door, k.doorPub, err = newKey(); err != nil {
		return k, err
	}
	local, pub, err := newKey()
	if err != nil {
		return k, err
	}
	local.Wipe() // nobody signs with it: it is who you are without a key
	k.localPub = pub
	return k, nil
}

func newKey() (nkeys.KeyPair, string, error) {
	k, err := nkeys.CreateUser()
	if err != nil {
		return nil, "", fmt.Errorf("make a key for the embedded nats-server: %w", err)
	}
	pub, err := k.PublicKey()
	if err != nil {
		return nil, "", fmt.Errorf("make a key for the embedded nats-server: %w", err)
	}
	return k, pub, nil
}

// wipe forgets what can sign.
func (k *keys) wipe() {
	for _, p := range []nkeys.KeyPair{k.owner, k.door} {
		if p != nil {
			p.Wipe()
		}
	}
}

// auth is the option of a connection that signs as the owner.
func (k *keys) auth() nats.Option { return nats.Nkey(k.ownerPub, k.owner.Sign) }

// doorAuth is that of the NATS door.
func (k *keys) doorAuth() nats.Option { return nats.Nkey(k.doorPub, k.door.Sign) }

// apply puts accounts and users into o. The server builds imports only from its configuration language, so that is
// what is written here.
func (k *keys) apply(o *server.Options) error {
	if err := o.ProcessConfigString(k.config()); err != nil {
		return fmt.Errorf("accounts of the embedded nats-server: %w", err)
	}
	return nil
}

func (k *keys) config() string {
	var exports, imports, publish, door []string
	for _, s := range doorSubjects {
		publish, door = append(publish, fmt.Sprintf("%q", s)), append(door, fmt.Sprintf("%q", s))
	}
	for _, s := range services {
		to, response := s.subject, ""
		if s.to != "" {
			to = s.to
		}
		if s.stream {
			response = ", response_type: stream"
		}
		exports = append(exports, fmt.Sprintf("{service: %q%s, accounts: [%s]}", to, response, localAccount))
		imports = append(imports, fmt.Sprintf("{service: {account: %s, subject: %q}, to: %q}", ownerAccount, to, s.subject))
		publish = append(publish, fmt.Sprintf("%q", s.subject))
	}
	return fmt.Sprintf(`
no_auth_user: %[1]s
accounts {
  %[2]s {
    jetstream: enabled
    users: [{nkey: %[3]s, allowed_connection_types: ["IN_PROCESS"]}]
    exports: [{stream: %[4]q, accounts: [%[5]s]}, %[6]s]
  }
  %[5]s {
    users: [
      {nkey: %[1]s, permissions: {
        publish: {allow: [%[8]s]}
        # Who listens there could answer in the daemon's place.
        subscribe: {deny: [%[9]s, "$JS.>"]}
      }}
      # The reply subject is the asker's choice: an answer must not be a command or ask for anything itself.
      {nkey: %[10]s, allowed_connection_types: ["IN_PROCESS"], permissions: {
        subscribe: {allow: [%[9]s]}
        publish: {deny: [%[9]s, "$JS.>"]}
      }}
    ]
    imports: [{stream: {account: %[2]s, subject: %[4]q}}, %[7]s]
  }
}`, k.localPub, ownerAccount, k.ownerPub, localHears, localAccount,
		strings.Join(exports, ", "), strings.Join(imports, ", "), strings.Join(publish, ", "), strings.Join(door, ", "), k.doorPub)
}
