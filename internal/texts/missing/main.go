// Missing prints what a file of texts lacks beside the English one: keys, placeholders and plural
// forms. The name of a file is a language tag and ".json". It may be anywhere; only those of
// internal/texts/files are part of the library.
//
//	go run ./internal/texts/missing /tmp/fr.json
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/secondgate/secondgate/internal/texts"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: missing LANG.json…")
		os.Exit(2)
	}
	faults := 0
	for _, name := range os.Args[1:] {
		list, err := check(name)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(2)
		}
		for _, fault := range list {
			fmt.Printf("%s: %s\n", name, fault)
		}
		faults += len(list)
	}
	if faults > 0 {
		fmt.Printf("%d to do\n", faults)
		os.Exit(1)
	}
}

func check(name string) ([]string, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	entries, err := texts.Parse(b)
	if err != nil {
		return nil, err
	}
	tag := strings.TrimSuffix(filepath.Base(name), ".json")
	if !texts.ValidTag(tag) {
		return nil, fmt.Errorf("%q is no language tag", tag)
	}
	list := texts.Check(tag, entries, texts.Get(texts.English))
	same := texts.Same(entries, texts.Get(texts.English))
	for _, key := range same {
		list = append(list, key+": the text is the English one; is that meant?")
	}
	return list, nil
}
