package ui_test
import ("testing";"os";"io/fs";"bytes";"strings";"github.com/secondgate/secondgate/mfahttp/internal/ui")
func TestPreviewX(t *testing.T){
 dir:=os.Getenv("UIPREVIEW"); if dir=="" {t.Skip()}
 r,err:=ui.New(nil); if err!=nil{t.Fatal(err)}
 for _,n:=range []string{"app.css","theme.css","app.js"} { b,err:=fs.ReadFile(r.Static(),n); if err!=nil{t.Fatal(err)}; os.WriteFile(dir+"/"+n,b,0o644)}
 for _,l:=range []string{"en","nl","nb","de"} { for _,s:=range samples() { var b bytes.Buffer; if err:=r.Render(&b,s.make(frame(l)));err!=nil{t.Errorf("%s %v",s.name,err);continue}; os.WriteFile(dir+"/"+l+"-"+s.name+".html",[]byte(strings.ReplaceAll(b.String(),"/mfa/static/","./")),0o644)}}
}
