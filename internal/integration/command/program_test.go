package command_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is wrong with a command line is said before anything is opened, and no password is shown.
func TestCommand_RefusesCommandLines(t *testing.T) {
	o := &operator{t: t, store: "sqlite:none", keys: "none"}
	for _, args := range [][]string{
		{"none"}, {"status"}, {"status", "a", "b"}, {"unlock", "ann"},
		{"unlock", "-by", "carol", "ann"}, {"reset", "-reason", "x", "ann"},
		{"status", "-none", "ann"}, {"completion", "tcsh"}, {"completion"},
		act("import", "-format", "none", "f"),
	} {
		r := o.run(args...)
		require.Equal(t, 2, r.code, "%v: %s", args, r.messages)
		require.NotContains(t, r.messages, "panic")
	}
	for _, store := range []string{"postgres://u:hunter2@[::1", "mysql://u:hunter2@h",
		"redis://u:hunter2@h:x", "hunter2", "ftp://u:hunter2@h"} {
		key := filepath.Join(t.TempDir(), "keys")
		o := &operator{t: t, store: store, keys: key}
		r := o.run("init")
		require.Equal(t, 2, r.code, store)
		require.NotContains(t, r.messages, "hunter2")
	}
}

var commandName = regexp.MustCompile(`(?m)^  ([a-z-]+(?: [a-z]+)?) `)

// names returns the commands that the help lists.
func (o *operator) names() (names []string) {
	o.t.Helper()
	_, list, _ := strings.Cut(o.does("help").out, "COMMAND [flags]")
	list, _, _ = strings.Cut(list, "\"secondgate COMMAND -help\"")
	for _, found := range commandName.FindAllStringSubmatch(list, -1) {
		names = append(names, found[1])
	}
	require.Greater(o.t, len(names), 8)
	return names
}

// Help needs no store, shows examples, and does not show the password of a store.
func TestCommand_Helps(t *testing.T) {
	o := &operator{t: t, store: "postgres://acme:hunter2@db/acme"}
	for _, args := range [][]string{nil, {"help"}, {"--help"}} {
		require.Contains(t, o.does(args...).out, "Exit codes")
	}
	for _, name := range o.names() {
		r := o.does(append(strings.Fields(name), "-help")...)
		require.Contains(t, r.out, "Examples:\n\n  secondgate "+name)
		require.NotContains(t, r.out, "hunter2")
	}
	require.Contains(t, o.does("status", "-help").out, "-store")
}

// The walk of the tests goes over each engine whose URL the help has.
func TestCommand_IsTestedOnEachEngine(t *testing.T) {
	named := map[string]string{"sqlite": "SQLite", "postgres": "PostgreSQL", "mysql": "MariaDB",
		"redis": "Redis", "etcd": "etcd", "nats": "NATS", "mongodb": "MongoDB",
		"dynamodb": "DynamoDB"}
	_, list, _ := strings.Cut((&operator{t: t}).does("help").out, "database of the application:")
	list, _, _ = strings.Cut(list, "The file of the keys")
	urls := regexp.MustCompile(`(?m)^  ([a-z0-9+]+):`).FindAllStringSubmatch(list, -1)
	require.Len(t, urls, len(onOneServer)+len(onCluster)+len(onStandIn))
	for _, url := range urls {
		name := named[url[1]]
		require.True(t, onOneServer[name] != nil || onCluster[name] != nil ||
			onStandIn[name] != nil, url[1])
	}
}

// The manual page in the repository is the one that the program writes. It has every command, and
// readers of manual pages find no error in it.
func TestManual_IsUpToDate(t *testing.T) {
	o := &operator{t: t}
	const kept = "../../../cmd/secondgate/secondgate.1"
	page, err := os.ReadFile(kept)
	require.NoError(t, err)
	require.Equal(t, string(page), o.does("man").out,
		"run: go run ./cmd/secondgate man > cmd/secondgate/secondgate.1")
	for _, name := range o.names() {
		require.Regexp(t, `(?m)^\.SS "`+name+`[" ]`, string(page))
	}
	needProgram(t, "mandoc")
	lint, err := exec.Command("mandoc", "-T", "lint", "-W", "error", kept).CombinedOutput()
	require.NoError(t, err, string(lint))
	shown, err := exec.Command("mandoc", "-T", "ascii", kept).Output()
	require.NoError(t, err)
	plain := regexp.MustCompile(".\b").ReplaceAllString(string(shown), "")
	require.Contains(t, plain, "-reason")
	require.Contains(t, plain, "EXIT STATUS")
}

// The page for operators has every command and every exit code, with the words of the help.
func TestOperatingPage_HasEveryCommand(t *testing.T) {
	o := &operator{t: t}
	text, err := os.ReadFile("../../../docs/operating.md")
	require.NoError(t, err)
	page := string(text)
	for _, name := range o.names() {
		require.Regexp(t, "(?m)^\\| `"+name+"[` ]|`secondgate "+name+"[` ]", page)
	}
	_, codes, found := strings.Cut(o.does("help").out, "Exit codes:\n\n")
	require.True(t, found)
	for line := range strings.Lines(codes) {
		code, means, _ := strings.Cut(strings.TrimSpace(line), "  ")
		require.Contains(t, page, "| "+code+" | "+means+" |")
	}
}

// needProgram skips a test without a program; with SECONDGATE_REQUIRE_TOOLS set it fails instead.
func needProgram(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("SECONDGATE_REQUIRE_TOOLS") != "" {
			t.Fatalf("%s is not installed; see scripts/tools.sh", name)
		}
		t.Skipf("%s is not installed", name)
	}
}

// Every format that the shells offer for an import is one that the program reads.
func TestCompletion_OffersFormatsThatExist(t *testing.T) {
	o := onSQLite(t)
	formats := strings.Fields(o.does("__complete", "import", "-format", "").out)
	require.NotEmpty(t, formats)
	for _, format := range formats {
		args := []string{"-dry-run", "-format", format}
		if format == "csv" {
			args = append(args, "-columns", "id=id")
		}
		r := o.run(act("import", append(args, os.DevNull)...)...)
		require.NotContains(t, r.messages, "there is no format")
		require.NotEqual(t, 2, r.code, r.messages)
	}
}

// completions are command lines, and what a shell offers for the last word of each.
var completions = []struct {
	words      []string
	has, lacks []string
}{
	{[]string{"st"}, []string{"status"}, []string{"unlock", "help"}},
	{[]string{""}, []string{"status", "unlock", "import", "help"}, []string{"-store"}},
	{[]string{"unlock", "-"}, []string{"-by", "-reason", "-store", "-help"}, []string{"-format"}},
	{[]string{"unlock", "-by", ""}, nil, []string{"-by", "file.json"}},
	{[]string{"import", "-dry-run", "-format", "k"}, []string{"keycloak"}, []string{"json"}},
	{[]string{"import", "-format", "csv", ""}, []string{"file.json"}, []string{"csv"}},
	{[]string{"status", "-keys", "fi"}, []string{"file.json"}, []string{"-keys"}},
	{[]string{"completion", ""}, []string{"bash", "zsh", "fish"}, []string{"file.json"}},
	{[]string{"tr"}, []string{"trail"}, []string{"verify", "show"}},
	{[]string{"trail", ""}, []string{"verify", "show"}, []string{"status", "file.json"}},
	{[]string{"trail", "verify", "-an"}, []string{"-anchor"}, []string{"verify", "-user"}},
	{[]string{"none", ""}, nil, []string{"status", "file.json"}},
}

// Each shell itself completes a command line with the script that the program writes for it.
func TestCompletion_CompletesInEachShell(t *testing.T) {
	for shell, ask := range map[string]func(*shellUser, []string) string{
		"bash": (*shellUser).askBash, "zsh": (*shellUser).askZsh, "fish": (*shellUser).askFish,
	} {
		t.Run(shell, func(t *testing.T) {
			needProgram(t, shell)
			u := newShellUser(t, shell)
			for _, c := range completions {
				offered := ask(u, c.words)
				for _, word := range c.has {
					require.Regexp(t, word+`\b`, offered, "%q", c.words)
				}
				for _, word := range c.lacks {
					require.NotRegexp(t, `(^|\s)`+word+`\b`, offered, "%q", c.words)
				}
			}
		})
	}
}

// An import waits for the rest of a pipe that does not end, also when it is interrupted. A second
// interrupt ends it.
func TestProgram_EndsAtTheSecondInterrupt(t *testing.T) {
	o := onSQLite(t)
	cmd := exec.Command(program, act("import", "-format", "json", "-")...)
	cmd.Env = o.environment()
	users, err := cmd.StdinPipe()
	require.NoError(t, err)
	lines, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = fmt.Fprintf(users,
		`{"id":"ann","factors":[{"kind":"totp","params":{"secret":%q}}]}`+"\n", key)
	require.NoError(t, err)
	line, err := bufio.NewReader(lines).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "ann")

	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for within := time.After(time.Minute); ; {
		_ = cmd.Process.Signal(interruption()) // it may have ended
		select {
		case <-ended:
			require.Equal(t, -1, cmd.ProcessState.ExitCode(), "a signal ended it")
			return
		case <-within:
			_ = cmd.Process.Kill()
			t.Fatal("it does not end")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// A reader that takes one line, such as head -1, ends no act before its event is kept: the import
// stops, says so, and has logged every user whom it imported.
func TestProgram_OutlivesTheReaderOfItsOutput(t *testing.T) {
	o := onSQLite(t)
	log := filepath.Join(t.TempDir(), "log")
	read, write, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, read.Close())
	cmd := o.start(t, write, act("import", "-parallel", "2", "-log", log,
		manyUsers(t, "u", 200))...)
	require.NoError(t, write.Close())
	require.Error(t, cmd.Wait())
	require.Equal(t, 3, cmd.ProcessState.ExitCode())
	group := o.json("report", "-json")["groups"].([]any)[0].(map[string]any)
	events, err := os.ReadFile(log)
	require.NoError(t, err)
	require.EqualValues(t, strings.Count(string(events), `"msg":"admin.import"`), group["users"])
	require.Less(t, group["users"], 200.0)
}
