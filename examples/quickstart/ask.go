package main

import (
	"bufio"
	"fmt"
	"log"

	"github.com/secondgate/secondgate/secret"
)

// ask reads a code from the terminal.
func ask(input *bufio.Scanner) secret.Text {
	fmt.Print("code: ")
	if !input.Scan() {
		log.Fatal("no more input")
	}
	return secret.New(input.Text())
}

// said returns an error's text, which is for developers. Pages show users other words.
func said(err error) string {
	if err == nil {
		return ""
	}
	return "(" + err.Error() + ")"
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
