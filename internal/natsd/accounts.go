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

// services is all that a local client may publish. Whatever is not here does not leave its account: tenant.>, and every
// part of the JetStream API that changes streams, deletes messages or moves leaders.
var services = [...]service{
	{subject: "cmd.>"},
	{subject: "$SRV.>", stream: true},
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

// keys are the users of the two accounts, made anew for every server. Only the owner's can sign.
type keys struct {
	owner    nkeys.KeyPair
	ownerPub string
	localPub string
}

func newKeys() (keys, error) {
	owner, err := nkeys.CreateUser()
	if err != nil {
		return keys{}, fmt.Errorf("make the key of the daemon's connection: %w", err)
	}
	ownerPub, err := owner.PublicKey()
	if err != nil {
		return keys{}, fmt.Errorf("make the key of the daemon's connection: %w", err)
	}
	local, err := nkeys.CreateUser()
	if err != nil {
		return keys{}, fmt.Errorf("make the key of local clients: %w", err)
	}
	defer local.Wipe() // nobody signs with it: it is who you are without a key
	localPub, err := local.PublicKey()
	return keys{owner: owner, ownerPub: ownerPub, localPub: localPub}, err
}

// auth is the option of a connection that signs as the owner.
func (k keys) auth() nats.Option { return nats.Nkey(k.ownerPub, k.owner.Sign) }

// apply puts accounts and users into o. The server builds imports only from its configuration language, so that is
// what is written here.
func (k keys) apply(o *server.Options) error {
	if err := o.ProcessConfigString(k.config()); err != nil {
		return fmt.Errorf("accounts of the embedded nats-server: %w", err)
	}
	return nil
}

func (k keys) config() string {
	var exports, imports, publish []string
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
    users: [{nkey: %[1]s, permissions: {
      publish: {allow: [%[8]s]}
      # Who listens there could answer in the daemon's place.
      subscribe: {deny: ["cmd.>", "$SRV.>", "$JS.>"]}
    }}]
    imports: [{stream: {account: %[2]s, subject: %[4]q}}, %[7]s]
  }
}`, k.localPub, ownerAccount, k.ownerPub, localHears, localAccount,
		strings.Join(exports, ", "), strings.Join(imports, ", "), strings.Join(publish, ", "))
}
