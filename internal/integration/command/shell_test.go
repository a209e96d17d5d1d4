package command_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shellUser has a shell with the completion, in a directory with one file, file.json.
type shellUser struct {
	t           *testing.T
	dir, script string
}

func newShellUser(t *testing.T, shell string) *shellUser {
	t.Helper()
	u := &shellUser{t: t, dir: t.TempDir(), script: filepath.Join(t.TempDir(), "_secondgate")}
	require.NoError(t, os.WriteFile(filepath.Join(u.dir, "file.json"), nil, 0o600))
	script := (&operator{t: t}).does("completion", shell).out
	require.NoError(t, os.WriteFile(u.script, []byte(script), 0o600))
	return u
}

// shell runs a shell where the program is in the path.
func (u *shellUser) shell(name string, args ...string) string {
	u.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = u.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"),
		"HOME="+u.dir, "TERM=dumb")
	var messages strings.Builder
	cmd.Stderr = &messages
	out, err := cmd.Output()
	require.NoError(u.t, err, messages.String())
	return string(out)
}

// askBash calls the function that bash calls, in the way in which it does.
func (u *shellUser) askBash(words []string) string {
	u.t.Helper()
	return u.shell("bash", append([]string{"--norc", "-c", `source "$0"
compopt() { :; } # is for the shell's own call alone
COMP_WORDS=(secondgate "$@") COMP_CWORD=$#
f=$(complete -p secondgate) f=${f#*-F } && "${f% *}" && printf '%s\n' "${COMPREPLY[@]}"`,
		u.script}, words...)...)
}

// askFish asks fish for its completions of a line.
func (u *shellUser) askFish(words []string) string {
	u.t.Helper()
	return u.shell("fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, u.script,
		"secondgate "+strings.Join(words, " "))
}

// askZsh types a line and a tab into an interactive zsh, and returns what that shows.
func (u *shellUser) askZsh(words []string) string {
	u.t.Helper()
	line := "secondgate " + strings.Join(words, " ")
	shown := u.shell("zsh", "-f", "-c", `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1= PS2= RPS1=; autoload -Uz compinit; compinit -u -D; source $1; setopt no_beep"
zpty -w z 'list() { zle list-choices; zle -R; print end-of-list }; zle -N list'
zpty -w z "bindkey '^I' list; print rea''dy"
zpty -r -m z text '*ready*'
zpty -w -n z "$2"$'\t'
zpty -r -m z text '*end-of-list*'
print -r -- "$text"
zpty -d z`, "zsh", u.script, line)
	typed := strings.TrimSpace(line)
	require.Contains(u.t, shown, typed)
	return strings.ReplaceAll(shown, typed, "") // zsh shows it again below what it offers
}
