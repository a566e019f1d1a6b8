package report
import ("testing";"os";"github.com/cloudlysis/aggregate/dsl")
func TestTry(t *testing.T){
 for _,d:=range []string{"bank","order"}{
  f:=dsl.ReadDir(os.DirFS("../../examples/"+d))
  r:=dsl.Compile(f.Sources,dsl.Options{})
  for _,a:=range r.Set.Aggregates{
   m,err:=NewMatrix(a,""); if err!=nil{t.Fatal(err)}
   m.Text(os.Stdout)
   gs,_:=NewGraphs(a,"")
   for _,g:=range gs{ g.Mermaid(os.Stdout); fs,_:=os.Create("/tmp/"+a.Name+"_"+g.Field+".svg"); g.SVG(fs); fs.Close() }
  }
 }
}
