package main

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

// A list has a block of lines for each protection, with an empty line between two blocks:
//
//	# what an attacker cannot do while the protection is there
//	file directory test
//	-the lines of the file that are the protection
//	+what stands there without it
//
//go:embed *.txt
var lists embed.FS

// protection is one edit that takes a protection out, and the test that must then fail.
type protection struct {
	claim, file, dir, test string
	old, new               string
}

func (p protection) String() string {
	return fmt.Sprintf("%s %s: %s", p.file, p.test, p.claim)
}

// without returns the file's code without the protection. Line breaks do not matter, so that a
// line may be wrapped without a change of the list.
func (p protection) without(code string) (string, error) {
	in, offsets := compact(code)
	old, _ := compact(p.old)
	if n := strings.Count(in, old); n != 1 {
		return "", fmt.Errorf("the text of the protection occurs %d times in %s, want once",
			n, p.file)
	}
	at := strings.Index(in, old)
	begin, end := offsets[at], offsets[at+len(old)-1]+1
	return code[:begin] + strings.TrimLeft(p.new, "\t") + code[end:], nil
}

// compact returns code without white space, and without the comma that a line break requires
// before a closing parenthesis. The offsets are those of its bytes in the code.
func compact(code string) (text string, offsets []int) {
	var b strings.Builder
	for i := range len(code) {
		switch code[i] {
		case ' ', '\t', '\n':
			continue
		case ',':
			if strings.HasPrefix(strings.TrimLeft(code[i+1:], " \t\n"), ")") {
				continue
			}
		}
		b.WriteByte(code[i])
		offsets = append(offsets, i)
	}
	return b.String(), offsets
}

// list reads all lists.
func list() (all []protection, err error) {
	names, err := fs.Glob(lists, "*.txt")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := lists.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for i, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
			p, err := parse(block)
			if err != nil {
				return nil, fmt.Errorf("%s, block %d: %w", name, i+1, err)
			}
			all = append(all, p)
		}
	}
	return all, nil
}

func parse(block string) (p protection, err error) {
	lines := strings.Split(block, "\n")
	if len(lines) < 3 || !strings.HasPrefix(lines[0], "# ") {
		return p, fmt.Errorf("it does not begin with a claim and an edit")
	}
	p.claim = lines[0][2:]
	where := strings.Fields(lines[1])
	if len(where) != 3 {
		return p, fmt.Errorf("%q is not a file, a directory and a test", lines[1])
	}
	p.file, p.dir, p.test = where[0], where[1], where[2]
	var old, without []string
	for _, line := range lines[2:] {
		switch {
		case strings.HasPrefix(line, "-") && without == nil:
			old = append(old, line[1:])
		case strings.HasPrefix(line, "+"):
			without = append(without, line[1:])
		default:
			return p, fmt.Errorf("%q begins with neither - nor +", line)
		}
	}
	p.old, p.new = strings.Join(old, "\n"), strings.Join(without, "\n")
	if p.old == "" || p.old == p.new {
		return p, fmt.Errorf("it changes nothing")
	}
	return p, nil
}
