package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

var files, bytes atomic.Int64

func walk(group *errgroup.Group, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !e.IsDir() {
			info, err := e.Info()
			if err != nil {
				return err
			}
			files.Add(1)
			bytes.Add(info.Size())
		} else if !group.TryGo(func() error { return walk(group, path) }) {
			if err := walk(group, path); err != nil { // all are busy: do it here
				return err
			}
		}
	}
	return nil
}

func main() {
	root := "tree"
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	var group errgroup.Group
	group.SetLimit(4)
	group.Go(func() error { return walk(&group, root) })
	if err := group.Wait(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Printf("%d files, %d bytes\n", files.Load(), bytes.Load())
}
