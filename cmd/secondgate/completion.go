package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

// anyFile stands for the names of files among the words of a completion.
const anyFile = ":files"

// completeName is the command that the scripts of shells call with the words of the command line
// up to the cursor. It writes a word on each line, with a tab and a description.
const completeName = "__complete"

const bashScript = `_secondgate() {
	local line cur=${COMP_WORDS[COMP_CWORD]}
	COMPREPLY=()
	while IFS= read -r line; do
		if [ "$line" = :files ]; then
			compopt -o filenames
			while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
		else
			COMPREPLY+=("${line%%$'\t'*}")
		fi
	done < <(secondgate __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _secondgate secondgate
`

const zshScript = `#compdef secondgate
_secondgate() {
	local line
	local -a found
	for line in "${(@f)$(secondgate __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
		if [[ $line == :files ]]; then
			_files
		elif [[ -n $line ]]; then
			found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
		fi
	done
	(( $#found )) && _describe secondgate found
}
if [[ $funcstack[1] == _secondgate ]]; then
	_secondgate "$@"
else
	compdef _secondgate secondgate
fi
`

const fishScript = `function __secondgate_words
	set -l words (commandline -opc)
	set -e words[1]
	set -l last (commandline -ct)
	for line in (secondgate __complete $words "$last" 2>/dev/null)
		if test "$line" = :files
			__fish_complete_path "$last"
		else
			echo $line
		end
	end
end
complete -c secondgate -f -a '(__secondgate_words)'
`

// writeCompletion writes the script for a shell.
func writeCompletion(_ context.Context, c *call) error {
	script, ok := map[string]string{"bash": bashScript, "zsh": zshScript,
		"fish": fishScript}[c.args[0]]
	if !ok {
		return fmt.Errorf("completion knows bash, zsh and fish; %w", errUsage)
	}
	_, err := io.WriteString(c.out, script)
	return err
}

// suggestion is a word that a command line can go on with.
type suggestion struct{ word, meaning string }

// writeSuggestions writes what the last of some words can become.
func writeSuggestions(out io.Writer, words []string) error {
	if len(words) == 0 {
		words = []string{""}
	}
	for _, s := range suggest(words) {
		line := s.word
		if s.meaning != "" {
			line += "\t" + s.meaning
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}

func suggest(words []string) []suggestion {
	done, last := words[:len(words)-1], words[len(words)-1]
	if len(done) == 0 {
		all := []suggestion{{"help", "show all commands"}}
		for _, c := range commands() {
			group, _, grouped := strings.Cut(c.name, " ")
			switch {
			case !grouped:
				all = append(all, suggestion{c.name, c.does})
			case all[len(all)-1].word != group:
				all = append(all, suggestion{group, groups[group]})
			}
		}
		return beginning(all, last)
	}
	var seconds []suggestion
	for _, c := range commands() {
		switch group, second, grouped := strings.Cut(c.name, " "); {
		case group != done[0]:
		case !grouped:
			return c.suggest(done[1:], last)
		case len(done) == 1:
			seconds = append(seconds, suggestion{second, c.does})
		case second == done[1]:
			return c.suggest(done[2:], last)
		}
	}
	return beginning(seconds, last)
}

// suggest returns what the last word can become after flags and arguments that are complete.
func (c command) suggest(done []string, last string) []suggestion {
	flags := (&call{command: c}).flagSet()
	var waiting *flag.Flag // for its value
	arguments := 0
	for _, word := range done {
		switch name, isFlag := strings.CutPrefix(word, "-"); {
		case word == "=": // bash makes it a word of its own
		case waiting != nil:
			waiting = nil
		case isFlag && arguments == 0:
			if waiting = flags.Lookup(strings.TrimPrefix(name, "-")); isSwitch(waiting) {
				waiting = nil
			}
		default:
			arguments++
		}
	}
	switch {
	case waiting != nil:
		return choices(c.valuesOf(waiting.Name), strings.TrimPrefix(last, "="))
	case arguments > 0:
		return nil
	case strings.HasPrefix(last, "-"):
		return suggestFlags(flags, last)
	}
	return choices(c.argument, last)
}

// valuesOf returns the words that the value of a flag can be.
func (c command) valuesOf(flag string) []string {
	switch flag {
	case "keys", "log", "trail", "trail-key":
		return []string{anyFile}
	}
	return c.values[flag]
}

// isSwitch reports whether a flag takes no value.
func isSwitch(f *flag.Flag) bool {
	if f == nil {
		return true
	}
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

func suggestFlags(flags *flag.FlagSet, last string) []suggestion {
	all := []suggestion{{"-help", "show flags and examples"}}
	flags.VisitAll(func(f *flag.Flag) {
		all = append(all, suggestion{"-" + f.Name, f.Usage})
	})
	return beginning(all, "-"+strings.TrimLeft(last, "-"))
}

func choices(words []string, last string) []suggestion {
	var all []suggestion
	for _, w := range words {
		all = append(all, suggestion{word: w})
	}
	return beginning(all, last)
}

// beginning returns the suggestions that begin with what was typed. The shell completes files.
func beginning(all []suggestion, typed string) (matching []suggestion) {
	for _, s := range all {
		if strings.HasPrefix(s.word, typed) || s.word == anyFile {
			matching = append(matching, s)
		}
	}
	return matching
}
