package structure_test

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// testName is the form of the name of a test: the unit, and what it does.
var testName = regexp.MustCompile(`^Test[A-Z][A-Za-z0-9]*_[A-Z0-9][A-Za-z0-9]*$`)

// The name of a test that fails says which behaviour of which unit is missing. No test is left out.
func TestTests_AreNamedForUnitAndBehaviour(t *testing.T) {
	checked := 0
	for path, file := range syntax(t) {
		if !strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/testdata/") {
			continue
		}
		for _, name := range testNames(file) {
			checked++
			if !testName.MatchString(name) {
				t.Errorf("%s: %s does not have the form TestUnit_Behaviour", path, name)
			}
		}
	}
	require.Greater(t, checked, 1000)
}

// testNames returns the names of the tests that the go command runs for a file.
func testNames(file *ast.File) (names []string) {
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") &&
			fn.Name.Name != "TestMain" {
			names = append(names, fn.Name.Name)
		}
	}
	return names
}

// The check finds what it is for.
func TestTestNames_FindsOtherForms(t *testing.T) {
	code := `package p

func TestMain(m *testing.M) {}

func (kit) TestMethod(t *testing.T) {}

func Testing() {}

func TestUnit(t *testing.T) {}

func TestUnit_Behaviour(t *testing.T) {}

func helper() { _ = "func TestQuoted(t *testing.T) {}" }
`
	require.Equal(t, []string{"Testing", "TestUnit", "TestUnit_Behaviour"},
		testNames(parsed(t, code)))
	for name, ok := range map[string]bool{
		"TestUnit_Behaviour": true, "TestOAuth2_SignsIn": true, "TestVerify_3Minutes": true,
		"TestUnit": false, "Test": false, "Test_Behaviour": false, "Testunit_Behaviour": false,
		"TestUnit_": false, "TestUnit_behaviour": false, "TestUnit__Behaviour": false,
		"TestUnit_Behaviour_More": false, "Testing": false,
	} {
		require.Equal(t, ok, testName.MatchString(name), name)
	}
}
