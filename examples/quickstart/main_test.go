package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// TestQuickstart_SignsInWithACode builds the program and plays the user's phone: it reads the key
// from the output and types codes.
func TestQuickstart_SignsInWithACode(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "quickstart")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(bin)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	lines := bufio.NewScanner(out)
	expect := func(part string) string {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), part) {
				return lines.Text()
			}
		}
		t.Fatalf("never said %q", part)
		return ""
	}
	_, secret, _ := strings.Cut(expect("type this key:"), "key: ")
	code := func(later time.Duration) string {
		c, err := totp.GenerateCode(strings.TrimSpace(secret), time.Now().Add(later))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := code(0)
	_, _ = in.Write([]byte("wrong\n" + first + "\n" + first + "\n" + code(30*time.Second) + "\n"))
	expect("enrolled: false")
	expect("enrolled: true")
	expect("signed in: false")
	expect("signed in: true")
	expect("assurance level 2 by otp mfa")
}

func TestQuickstart_HasUnderSixtyLines(t *testing.T) {
	text, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n >= 60 {
		t.Errorf("main.go has %d lines", n)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), "func main() {")
	if !strings.Contains(string(readme), body) {
		t.Error("README.md does not show main.go as it is")
	}
}
