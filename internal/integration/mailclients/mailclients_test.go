// Package mailclients_test holds the mails to what mail clients support, by the data of
// caniemail.com.
package mailclients_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/secondgate/secondgate/internal/integration/npm"
	"github.com/stretchr/testify/require"
)

// clients are the clients of most users, on each platform that they have. The data knows nothing of
// backgrounds in Thunderbird on Windows, which has the engine of the one on macOS.
var clients = []string{"gmail.*", "outlook.*", "apple-mail.*", "yahoo.*", "samsung-email.*",
	"protonmail.*", "gmx.desktop-webmail", "web-de.desktop-webmail", "thunderbird.macos"}

type finding struct {
	Mail, Client, Feature string
	Notes                 []string
}

// lint returns what a client lacks of what the mails use.
func lint(t *testing.T, mails map[string]string) (found []finding) {
	t.Helper()
	modules := npm.Install(t, "testdata/npm")
	in, err := json.Marshal(map[string]any{"clients": clients, "mails": mails})
	require.NoError(t, err)
	cmd := exec.Command("node", "testdata/lint.mjs", modules)
	cmd.Stdin = bytes.NewReader(in)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	require.NoError(t, json.Unmarshal(out, &found))
	return found
}

// excused returns the excuse for a finding, and which of its clients it is, or -1.
func excused(f finding) (e *excuse, client int) {
	for i := range excuses {
		if excuses[i].feature != f.Feature {
			continue
		}
		for j, c := range strings.Fields(excuses[i].clients) {
			if f.Client == c || strings.HasPrefix(f.Client, c+".") {
				return &excuses[i], j
			}
		}
	}
	return nil, -1
}

// refused returns what is wrong with the mails: what a client lacks without an excuse, and the
// forms of features that clients lack.
func refused(found []finding, mails map[string]string) (list []string) {
	for _, f := range found {
		e, _ := excused(f)
		switch {
		case e == nil:
			list = append(list, fmt.Sprintf("%s: %s lacks %s %s", f.Mail, f.Client, f.Feature,
				f.Notes))
		case e.never != "" && regexp.MustCompile(e.never).MatchString(mails[f.Mail]):
			list = append(list, fmt.Sprintf("%s: %s lacks that form of %s: %s", f.Mail, f.Client,
				f.Feature, regexp.MustCompile(e.never).FindString(mails[f.Mail])))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// written returns a directory with the mails of every kind that the library composes, in a folder
// for each language, as the tests of the packages make them.
var written = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "mails")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "test", "-count=1", "-run", "^TestMails_AreWrittenForTheLinter$",
		"github.com/secondgate/secondgate/email", "github.com/secondgate/secondgate/password")
	cmd.Env = append(os.Environ(), "SECONDGATE_MAILS="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := written(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

var (
	text = regexp.MustCompile(`>[^<]+<`)
	link = regexp.MustCompile(`href="[^"]*"`)
	lang = regexp.MustCompile(` lang="[^"]*"`)
)

// mails returns one mail of each form, out of all in every language. Two mails have one form when
// they differ in nothing but the text, the language or the address of the button.
func mails(t *testing.T) map[string]string {
	t.Helper()
	dir, err := written()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.html"))
	require.NoError(t, err)
	require.Greater(t, len(files), 1000)
	list, seen := map[string]string{}, map[string]bool{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		head, body, ok := strings.Cut(string(b), "<body")
		require.True(t, ok)
		form := lang.ReplaceAllString(head+text.ReplaceAllString(link.ReplaceAllString(body, ""),
			"><"), "")
		if !seen[form] {
			seen[form] = true
			name, err := filepath.Rel(dir, file)
			require.NoError(t, err)
			list[name] = string(b)
		}
	}
	require.Greater(t, len(list), 8)
	return list
}

// The mails of every kind use nothing that a client lacks, but what excuses name, with the reason.
// Each excuse is needed.
func TestMails_UseNothingThatClientsLack(t *testing.T) {
	all := mails(t)
	found := lint(t, all)
	require.Empty(t, refused(found, all))
	needed := map[string]bool{}
	for _, f := range found {
		e, client := excused(f)
		needed[fmt.Sprint(e.feature, e.why, client)] = true
	}
	for _, e := range excuses {
		for i, c := range strings.Fields(e.clients) {
			require.True(t, needed[fmt.Sprint(e.feature, e.why, i)],
				"no mail needs the excuse of %s for %s", e.feature, c)
		}
	}
}

// Gmail cuts off a mail of 102 kB, and drops styles of 16 kB.
func TestMails_AreSmall(t *testing.T) {
	for name, mail := range mails(t) {
		require.Less(t, len(mail), 16<<10, name)
	}
}
