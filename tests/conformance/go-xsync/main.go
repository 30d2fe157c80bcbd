// The Go twins of the programs in ../c: chosen by name, each run in a process of its own.
package main

import (
	"fmt"
	"os"
)

type program struct {
	name, source string
	run          func()
}

var programs []program

// add registers a program; source names where Go's rule stands.
func add(name, source string, run func()) {
	programs = append(programs, program{name, source, run})
}

func main() {
	for _, p := range programs {
		if len(os.Args) < 2 {
			fmt.Printf("%s\t%s\n", p.name, p.source)
		} else if p.name == os.Args[1] {
			p.run()
			return
		}
	}
}
