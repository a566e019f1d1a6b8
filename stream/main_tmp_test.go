package stream
import ("testing";"os";"github.com/cloudlysis/aggregate/stream/envelope")
func TestMain(m *testing.M) { if os.Getenv("SHARD")!="" { testLayout = envelope.Sharded(4) }; os.Exit(m.Run()) }
