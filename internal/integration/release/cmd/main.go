// Command cmd prepares a release; scripts/release.sh runs it and says how.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/secondgate/secondgate/internal/integration/release"
)

const usage = `usage: scripts/release.sh [-tag] vX.Y.Z   check, and with -tag commit and tag a release
       scripts/release.sh -archive dir vX.Y.Z   write the archives of a tagged release
       scripts/release.sh -tidy            go mod tidy for every module
`

func main() {
	tag := flag.Bool("tag", false, "commit and tag; without it nothing is changed")
	tidy := flag.Bool("tidy", false, "tidy go.mod and go.sum of every module")
	archive := flag.String("archive", "", "write the archives of a tagged release into a directory")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	if *tidy != (flag.NArg() == 0) || flag.NArg() > 1 || *archive != "" && (*tidy || *tag) {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*tidy, *tag, *archive, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(tidy, tag bool, archive, version string) error {
	r, err := release.Open(".")
	if err != nil {
		return err
	}
	if tidy {
		changed, err := r.Tidy(true)
		for _, name := range changed {
			fmt.Println("changed", name)
		}
		return err
	}
	if archive != "" {
		return r.Archive(version, archive)
	}
	return r.Prepare(version, tag, os.Stdout)
}
