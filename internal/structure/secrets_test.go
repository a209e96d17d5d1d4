package structure_test

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// printedSecrets are the fields that print although their name or documentation speaks of a
// secret, with the reason. A field that is gone or that no longer prints leaves the list.
var printedSecrets = map[string]string{
	"..User.Email":                          "a copy of mfa.User; not printed",
	"..User.SessionID":                      "need not be secret; not printed",
	"email.SendError.ProviderCode":          "what a provider calls the failure, such as 5.1.1",
	"email/smtp.Config.Username":            "a name; the password is a secret.Text",
	"importing.Columns.Address":             "the name of a column",
	"importing.Columns.Algorithm":           "the name of a column",
	"importing.Columns.Codes":               "the name of a column",
	"importing.Columns.Digits":              "the name of a column",
	"importing.Columns.Number":              "the name of a column",
	"importing.Columns.Period":              "the name of a column",
	"importing.Columns.Secret":              "the name of a column",
	"mfa.FactorInfo.Data":                   "public by the contract of factor.Description.Public",
	"mfa.User.Email":                        "encoded for an application that stores it; not printed",
	"mfa.User.Phone":                        "encoded for an application that stores it; not printed",
	"mfa/factor.Description.Export":         "without secrets by its contract",
	"mfa/factor.Description.Public":         "public by its contract",
	"mfa/factor.Prompt.Data":                "public by its contract, and JSON for a browser",
	"mfa/factor.User.Email":                 "a copy of mfa.User for factors; not printed",
	"mfa/factor.User.Phone":                 "a copy of mfa.User for factors; not printed",
	"mfa/report.PersonalFactor.Data":        "public by the contract of factor.Description.Public",
	"mfa/report.PersonalFactor.Export":      "without secrets, as factor.Description.Export is",
	"mfa/report.PersonalFactor.Destination": "the user's own, made to be written for that user",
	"mfahttp.Config.PasswordFor":            "names of acts",
	"mfahttp.Config.Reauthenticate":         "a path of the application",
	"mfahttp/admin.Query.Text":              "what an administrator looks for: a part of a name",
	"mfahttp/admin.Session.ID":              "names a session and is not what the browser has",
	"mfahttp.Country.CallingCode":           "31 for the Netherlands",
	"mfahttp.Field.Type":                    "the type of an input, such as password",
	"mfahttp.Form.Fields":                   "names of inputs",
	"mfahttp.Identity.SessionID":            "need not be secret; not printed",
	"mfatest.FactorKit.Wrong":               "a made-up response of a test",
	"mfatest.Page.Text":                     "a page that a test reads",
	"password.Account.Email":                "encoded for an application that stores it; not printed",
	"password.Account.Name":                 "the application's own value",
	"password.Rules.Words":                  "words that everybody knows",
	"sms.HTTPConfig.Username":               "a name; the password is a secret.Text",
	"sms.SendError.ProviderCode":            "what a provider calls the failure, such as 21211",
	"sms.TwilioConfig.KeySID":               "the name of a key; the key is a secret.Text",
	"sms/phone.Country.CallingCode":         "31 for the Netherlands",
	"trail.Client.Address":                  "from where a request comes, which the trail is for",
	"trail.Entry.Hash":                      "public: it is in the checkpoints",
	"trail.Entry.PersonalHash":              "a hash of data with a random salt",
	"sso.Link.ID":                           "no secret by its contract",
	"sso/ssotest.User.Email":                "a made-up user of a test",
	"pkcs11.Config.Key":                     "the label of a key",
	"pkcs11.Config.Token":                   "the label of a token",
	"seal/envelope.RefusedError.Code":       "what a vault calls the failure, such as KeyDisabled",
	"seal/envelope.Transit.Key":             "the name of a key",
	"storage.Change.Data":                   "sealed before it comes here",
	"storage.Entry.Key":                     "where a record is, not a key that opens anything",
	"storage.Record.Data":                   "sealed before it comes here",
}

// secretNames matches the names of fields that carry what a log must not show: the last word
// says what the field is.
var secretNames = regexp.MustCompile(`(^|[a-z])(Response|Password|Pass|PIN|Pin|Secret|Token|Code|` +
	`Codes|Link|Key|Hash|Old|Current|State|Issued|Keep|Payload|Params|Number|Address|To|Phone|Email|` +
	`Destination|Binding|KeepSession|SessionID|Nonce|Cookie|Credential|URI|Data|Text|HTML|Right|` +
	`Wrong)$`)

// secretDocs matches what is written about such a field.
var secretDocs = regexp.MustCompile(`(?i)\b(is secret|be secret|secrets?|passwords?|session ID|` +
	`never log|PIN|full (address|number)|bearer)\b`)

// A log or an error shows each exported field of what the application is given or gives.
func TestExportedFields_PrintNoSecret(t *testing.T) {
	seen := 0
	excepted := map[string]bool{}
	for dir, found := range importable(t) {
		if strings.HasPrefix(dir, "examples/") {
			continue
		}
		for _, f := range printedFields(found) {
			seen++
			name := dir + "." + f.name
			if !f.secret {
				continue
			}
			if _, ok := printedSecrets[name]; ok {
				excepted[name] = true
				continue
			}
			t.Errorf("%s prints: make it a secret.Text or secret.Bytes, or list it with a reason",
				name)
		}
	}
	require.Greater(t, seen, 100)
	for name := range printedSecrets {
		require.True(t, excepted[name], "%s is gone or does not print: take it off the list", name)
	}
}

// printedField is an exported field whose type prints its text or bytes.
type printedField struct {
	name   string // Type.Field
	secret bool   // by its name or documentation
}

func printedFields(files []*ast.File) (list []printedField) {
	named := map[string]ast.Expr{}
	eachType(files, func(s *ast.TypeSpec) { named[s.Name.Name] = s.Type })
	eachType(files, func(s *ast.TypeSpec) {
		of, ok := s.Type.(*ast.StructType)
		if !ok || !s.Name.IsExported() || redacts(files, s.Name.Name) {
			return
		}
		for _, f := range of.Fields.List {
			if !prints(f.Type, named, 0) {
				continue
			}
			text := f.Doc.Text() + f.Comment.Text()
			for _, n := range f.Names {
				if n.IsExported() {
					list = append(list, printedField{s.Name.Name + "." + n.Name,
						secretNames.MatchString(n.Name) && !strings.HasPrefix(n.Name, "Masked") ||
							secretDocs.MatchString(text)})
				}
			}
		}
	})
	return list
}

// redacts reports whether a type prints and encodes itself, in every way that a log may choose.
func redacts(files []*ast.File, name string) bool {
	var methods []string
	for _, f := range files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil {
				if of, ok := fn.Recv.List[0].Type.(*ast.Ident); ok && of.Name == name {
					methods = append(methods, fn.Name.Name)
				}
			}
		}
	}
	for _, need := range []string{"Format", "LogValue", "MarshalText"} {
		if !slices.Contains(methods, need) {
			return false
		}
	}
	return true
}

func eachType(files []*ast.File, call func(*ast.TypeSpec)) {
	for _, f := range files {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				if s, ok := s.(*ast.TypeSpec); ok {
					call(s)
				}
			}
		}
	}
}

// prints reports whether package fmt shows text or bytes that a type holds. Structs have fields
// of their own to look at.
func prints(of ast.Expr, named map[string]ast.Expr, depth int) bool {
	switch of := ast.Unparen(of).(type) {
	case *ast.Ident:
		if under, ok := named[of.Name]; ok && depth < 8 {
			return prints(under, named, depth+1)
		}
		return slices.Contains([]string{"string", "any", "byte"}, of.Name)
	case *ast.ArrayType:
		return prints(of.Elt, named, depth)
	case *ast.MapType:
		return prints(of.Value, named, depth)
	case *ast.StarExpr:
		return prints(of.X, named, depth)
	case *ast.SelectorExpr:
		return of.Sel.Name == "RawMessage"
	}
	return false
}

func TestPrintedFields_FindsWhatIsPlanted(t *testing.T) {
	for text, want := range map[string]bool{
		"type T struct{ Response string }":                       true,
		"type T struct{ State []byte }":                          true,
		"type T struct{ NewPassword, Name string }":              true,
		"type T struct{ Codes []string }":                        true,
		"type T struct{ Params map[string]string }":              true,
		"type T struct{ Payload any }":                           true,
		"type T struct{ Payload json.RawMessage }":               true,
		"type T struct{ Token *string }":                         true,
		"type hex string; type T struct{ Token hex }":            true,
		"type T struct {\nX string // a password\n}":             true,
		"type T struct {\n// X is secret.\nX string\n}":          true,
		"type T struct {\nX string // the session ID\n}":         true,
		"type T struct{ Response secret.Text }":                  false,
		"type T struct{ State secret.Bytes }":                    false,
		"type T struct{ Params map[string]secret.Text }":         false,
		"type T struct{ MaskedDestination string }":              false,
		"type T struct{ Keep bool; State Phase }":                false,
		"type T struct{ Name, Tenant string }":                   false,
		"type T struct{ response string }":                       false,
		"type T struct{ Response string }; func (T) Format() {}": true,
		"type T struct{ Response string }; func (T) Format() {}; func (T) LogValue() {}; " +
			"func (T) MarshalText() {}": false,
		"type t struct{ Response string }":                   false,
		"type T struct{ Refuse func(password string) error}": false,
	} {
		f := parsed(t, "package x\n"+text)
		got := slices.ContainsFunc(printedFields([]*ast.File{f}),
			func(f printedField) bool { return f.secret })
		require.Equal(t, want, got, text)
	}
}
