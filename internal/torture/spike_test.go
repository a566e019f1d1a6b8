package torture
import ("testing";"os";"os/exec";"time";"context";"math/rand/v2")
func TestMain(m *testing.M){ Child(); os.Exit(m.Run()) }
func TestSpike(t *testing.T){
 if os.Getenv("INNS")=="" { c:=exec.Command(os.Args[0],"-test.run=TestSpike","-test.v"); InOwnMounts(c); c.Env=append(os.Environ(),"INNS=1"); b,err:=c.CombinedOutput(); t.Logf("%s %v",b,err); return }
 t0:=time.Now()
 if err:=Mountable(t.TempDir()); err!=nil { t.Fatal(err) }
 t.Log("mountable", time.Since(t0))
 s,err:=NewPowerSite(t.TempDir(), Aggd{Binary:"/tmp/aggd-t",Manifests:"/work/main/examples/bank"})
 if err!=nil {t.Fatal(err)}
 defer func(){t.Log(s.Close())}()
 if err:=s.Fresh();err!=nil{t.Fatal(err)}
 r:=rand.New(rand.NewPCG(1,2))
 for i:=0;i<5;i++{
 t0=time.Now()
 n,err:=s.Up(context.Background()); if err!=nil{t.Fatal(err)}
 w,f:=s.disk.Counts()
 t.Log("up",time.Since(t0),n,w,f)
 t0=time.Now()
 if err:=s.Crash(r);err!=nil{t.Fatal(err)}
 t.Log("crash",time.Since(t0), s.Cuts)
 }
}
